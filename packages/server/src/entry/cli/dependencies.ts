import type { UsagePage, UsageQuery } from '@holdfast/contracts';
import type { Clock } from '@holdfast/kit/time';
import type { Configuration, Variables } from '../../config/index.ts';
import type { Scope } from '../../model/principal.ts';

/** What the commands need done. `main.ts` gives it; commands parse, call and show. */
export interface CliDependencies {
  /** Of the package: `1.2.3`. */
  readonly version: string;
  /** Absolute. */
  readonly cwd: string;
  readonly clock: Clock;
  /** Called once, by a command that needs a configuration: `--help` is not to fail on a broken `.env`. */
  readonly environment: () => Variables;
  /** Serves until it is told to stop; resolves with the exit code. */
  readonly serve: (configuration: Configuration) => Promise<number>;
  /** Opens what keys need, lets `work` use it, and closes it, also when `work` fails. */
  readonly keys: <Result>(configuration: Configuration, work: (keys: KeyCommands) => Promise<Result>) => Promise<Result>;
  /** Opens the ledger of the first organization, lets `work` read pages of it, and closes it. */
  readonly usage: <Result>(
    configuration: Configuration,
    work: (read: (query: UsageQuery) => Promise<UsagePage>) => Promise<Result>,
  ) => Promise<Result>;
}

/** Keys of the first organization, in the hands of whoever has the machine. */
export interface KeyCommands {
  create(key: NewKeyOptions): Promise<IssuedKeyRecord>;
  /** Newest first; `beforeId` begins after that key. */
  list(page: {
    readonly limit: number;
    readonly beforeId: string | undefined;
  }): Promise<{ readonly keys: readonly KeyRecord[]; readonly more: boolean }>;
  rotate(
    id: string,
    rotation: { readonly graceSeconds: number | undefined; readonly expiresAt: Date | undefined },
  ): Promise<IssuedKeyRecord>;
  revoke(id: string): Promise<KeyRecord>;
}

export interface NewKeyOptions {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly allowedModels: readonly string[] | undefined;
  readonly expiresAt: Date | undefined;
}

export interface IssuedKeyRecord {
  readonly key: KeyRecord;
  readonly secret: string;
}

/** What is shown of a key: all of it but the secret. */
export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  /** undefined allows every model. */
  readonly allowedModels: readonly string[] | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly revokedAt: Date | undefined;
  readonly replacedBy: string | undefined;
  readonly lastUsedAt: Date | undefined;
}
