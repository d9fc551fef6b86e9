interface Brand {
  brand: string;
  version: string;
}

/** The browser as a person names it, for example `Chrome 156`. */
export function browserName(): string {
  const { userAgentData } = navigator as Navigator & { userAgentData?: { brands: Brand[] } };
  const brands = (userAgentData?.brands ?? []).filter(({ brand }) => !/not.?a.?brand/i.test(brand));
  // Every Chromium calls itself that too; its own name is the better one.
  const own = brands.find(({ brand }) => brand !== 'Chromium') ?? brands[0];
  return own ? `${own.brand} ${own.version}` : 'Unknown browser';
}
