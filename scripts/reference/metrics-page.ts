import { metricCatalogue, unitOf, type MetricDefinition } from '@holdfast/kit/telemetry';
import { serverMetricSections } from '../../packages/server/src/composition/metric-catalogue.ts';
import { code, generatedNotice, table } from './markdown.ts';

/** docs/reference/metrics.md, from the catalogues of the kit and of the server. */
export function metricsPage(): string {
  const sections = [...metricCatalogue, ...serverMetricSections];
  return `${[
    generatedNotice,
    '# Metrics',
    'Everything that `/metrics` shows. What it is good for, and how it is scraped, is in the [guide](../guides/metrics.md). Names, units and types follow the conventions of Prometheus: ' +
      'times are in seconds, sizes in bytes, money in US dollars; what ends with `_total` is a counter and begins at 0 with the process. ' +
      'A histogram `x` is read as `x_bucket`, `x_sum` and `x_count`.',
    'Labels are bounded: routes are patterns, models and targets those of the configuration, and each metric has a greatest number of series; what is beyond is counted under `other`. ' +
      'A series appears with the first thing that it counts.',
    ...sections.flatMap(({ title, definitions }) => [`## ${title}`, ...definitions.map(describe)]),
  ].join('\n\n')}\n`;
}

function describe({ name, type, help, labels, buckets, example, only }: MetricDefinition): string {
  const unit = unitOf(name);
  const facts = [type, ...(unit === undefined ? [] : [unit === 'usd' ? 'US dollars' : unit]), ...(only === undefined ? [] : [only])];
  return [
    `### ${code(name)}`,
    facts.join(' · '),
    help,
    ...(Object.keys(labels).length === 0
      ? []
      : [
          table(
            ['Label', 'What it says'],
            Object.entries(labels).map(([label, meaning]) => [code(label), meaning]),
          ),
        ]),
    ...(buckets === undefined ? [] : [`Buckets: ${buckets.join(', ')}.`]),
    `\`\`\`promql\n${example}\n\`\`\``,
  ].join('\n\n');
}
