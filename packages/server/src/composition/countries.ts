import { readFileSync } from 'node:fs';
import { HoldfastError } from '@holdfast/kit/errors';
import type { CountryLookup } from '@holdfast/kit/security';

/** The country database of the configuration. Throws `configuration_invalid` that names the file and what is wrong with it. */
export async function readCountries(file: string | undefined): Promise<CountryLookup | undefined> {
  if (file === undefined) return undefined;
  // Loaded only when there is a file: few have one.
  const { openCountryDatabase } = await import('@holdfast/kit/security/mmdb');
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw fault(file, `it cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, cause);
  }
  try {
    return openCountryDatabase(bytes);
  } catch (cause) {
    throw fault(file, 'it is no country database in the MaxMind format, or damaged', cause);
  }
}

function fault(file: string, problem: string, cause: unknown): HoldfastError {
  const text = `abuse.geoipFile: ${file}: ${problem}`;
  return new HoldfastError('configuration_invalid', { detail: text, details: [text], cause });
}
