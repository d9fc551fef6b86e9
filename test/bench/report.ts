import { judge, type Budget, type Judgement } from './budget.ts';
import { summarise, type Figures, type Summary } from './figures.ts';

/** What was measured and what became of the budget, as lines to read. */
export function describe(figures: Figures, judgements: readonly Judgement[]): string[] {
  return figures
    .names()
    .flatMap((figure) => [
      '',
      figure,
      ...figures
        .contestants(figure)
        .map((who) => `  ${who.padEnd(24)} ${show(summarise(figures.values(figure, who)))}`),
      ...judgements.filter(({ budget }) => budget.figure === figure).map((it) => `  ${describeJudgement(it)}`),
    ]);
}

export const judgeAll = (budgets: readonly Budget[], figures: Figures): Judgement[] =>
  budgets.map((budget) => judge(budget, figures)).filter((it) => it !== null);

const signs = { aim: '✓✓', met: '✓ ', missed: '✗ ' };

function describeJudgement({ budget, value, verdict }: Judgement): string {
  const sign = budget.isFloor ? '≥' : '≤';
  const than =
    budget.how === 'itself' ? '' : budget.how === 'ratio' ? ` × ${budget.over}` : ` more than ${budget.over}`;
  return `${signs[verdict]} ${budget.who}: ${show(value)}${than}; must be ${sign} ${budget.must}, aim ${sign} ${budget.aim}`;
}

/** The median, and what lies around it. */
const show = ({ median, min, max }: Summary): string => `${number(median)} (${number(min)}–${number(max)})`;

const number = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
