import { parser } from '@prometheus-io/lezer-promql';

/** One metric that a query asks for. */
export interface Selector {
  readonly metric: string;
  /** Labels by which it selects: name, operator, value. */
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

export interface Query {
  readonly selectors: readonly Selector[];
  /** Labels by which something is grouped or matched. */
  readonly grouping: readonly string[];
}

/** Reads a query, by the grammar of Prometheus's own editor. Throws where it is none. */
export function readQuery(query: string): Query {
  const selectors: { metric: string; matchers: { label: string; operator: string; value: string }[] }[] = [];
  const grouping: string[] = [];
  let inGrouping = false;
  const textOf = (node: { readonly from: number; readonly to: number }): string => query.slice(node.from, node.to);
  parser.parse(query).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${query}`);
      const selector = selectors.at(-1);
      if (node.name === 'VectorSelector') selectors.push({ metric: '', matchers: [] });
      else if (node.name === 'GroupingLabels') inGrouping = true;
      else if (node.name === 'Identifier' && selector) selector.metric = textOf(node);
      else if (node.name === 'LabelName' && inGrouping) grouping.push(textOf(node));
      else if (node.name === 'LabelName') selector!.matchers.push({ label: textOf(node), operator: '', value: '' });
      else if (node.name === 'MatchOp') selector!.matchers.at(-1)!.operator = textOf(node);
      else if (node.name === 'StringLiteral' && selector?.matchers.at(-1)?.value === '') {
        selector.matchers.at(-1)!.value = textOf(node).slice(1, -1);
      }
    },
    leave(node) {
      if (node.name === 'GroupingLabels') inGrouping = false;
    },
  });
  return { selectors, grouping };
}
