/** The element with this id. Throws where the page and its script have drifted apart. */
export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${type.name} with the id “${id}”.`);
}
