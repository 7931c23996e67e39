/** Prometheus's text format 0.0.4, or OpenMetrics 1.0, which alone has exemplars. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

export const contentTypes: Readonly<Record<ExpositionFormat, string>> = Object.freeze({
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
});

/** The longest `Accept` that is read. Prometheus sends some 200 characters. */
const maxLength = 2_048;

/**
 * What a client wants by its `Accept`, with weights as RFC 9110 has them: OpenMetrics where it is named and nothing else that we have is
 * preferred to it. `*` asks for nothing in particular, and gets the plain format.
 */
export function expositionFormatOf(accept: string | undefined): ExpositionFormat {
  if (accept === undefined || accept.length > maxLength) return 'prometheus';
  let openmetrics = 0;
  let plain = 0;
  for (const range of accept.split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const version = parameters.find((parameter) => parameter.startsWith('version='))?.slice('version='.length);
    const weight = weightOf(parameters);
    if (type === 'application/openmetrics-text' && (version === undefined || version === '1.0.0'))
      openmetrics = Math.max(openmetrics, weight);
    else if (type === 'text/plain' && (version === undefined || version === '0.0.4')) plain = Math.max(plain, weight);
  }
  return openmetrics > 0 && openmetrics >= plain ? 'openmetrics' : 'prometheus';
}

function weightOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  if (text === undefined) return 1;
  const weight = Number(text);
  return Number.isFinite(weight) ? Math.min(1, Math.max(0, weight)) : 0;
}
