/** Names, never values. */
export interface NameChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** One thing that is wrong with a configuration. Holds no secret. */
export interface ConfigurationFault {
  /** `holdfast.config.yaml:3:5` */
  readonly where: string;
  readonly setting?: string;
  readonly problem: string;
  readonly hint?: string;
}

/** What a reload needs to know of configurations, which it moves about without looking into them. */
export interface ConfigurationPort<Configuration> {
  /** Reads it anew; throws `configuration_invalid` with `details.faults`. `inForce` is what it would replace. */
  read(inForce: Configuration): Configuration;
  /** Whether two readings say the same, secrets included. */
  same(a: Configuration, b: Configuration): boolean;
  /** What a reload would change, part by part. */
  compare(before: Configuration, after: Configuration): Readonly<Record<string, NameChanges>>;
  /** Settings in which the two differ, and that only a start can change. */
  restartRequired(atStart: Configuration, next: Configuration): readonly string[];
  /** Of everything that a reload can change: equal for equal configurations, and telling nothing of them. */
  digest(configuration: Configuration): string;
  /** The file, as it is shown. */
  fileOf(configuration: Configuration): string | undefined;
}
