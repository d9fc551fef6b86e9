/** What a program that loads is told on its command line, as JSON. */
export const readOptions = (): unknown => JSON.parse(process.argv[2] ?? '');

export function print(figures: object): void {
  console.log(JSON.stringify(figures));
}

export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
