import { HoldfastError } from '../../../errors/index.ts';
import type { AlertSeverity } from '../../rules/index.ts';

/** What every channel may be told of itself. */
export interface ChannelOptions {
  /** In the configuration, in deliveries, in the log. */
  readonly name: string;
  /** Hears of alerts of this severity and worse. Default `info`: of all. */
  readonly minSeverity?: AlertSeverity;
  /** Goes over every text that is told. Default: none; the server masks personal data and secrets. */
  readonly mask?: (text: string) => string;
}

/** Refused at construction, and without the address: it may be the secret itself. */
export function checkUrl(kind: string, url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    const fault = `the address of a channel of kind ${kind} must be an http or https URL without user name and password`;
    throw new HoldfastError('configuration_invalid', { detail: fault, details: [fault] });
  }
  return url;
}
