/** Where a value in force came from. */
export interface Origin {
  readonly source: 'default' | 'file' | 'environment' | 'override';
  /** In words: `default`, `holdfast.config.yaml:3`, `environment LOG_LEVEL`, `environment DATABASE_URL_FILE, /run/secrets/url`. */
  readonly text: string;
}

export const defaultOrigin: Origin = Object.freeze({ source: 'default', text: 'default' });
export const overrideOrigin: Origin = Object.freeze({ source: 'override', text: 'command line' });

export function environmentOrigin(name: string, secretFile?: string): Origin {
  return { source: 'environment', text: `environment ${name}${secretFile === undefined ? '' : `, ${secretFile}`}` };
}
