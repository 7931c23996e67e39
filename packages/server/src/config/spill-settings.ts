import type { SettingSection } from './setting.ts';
import { filePath, integer } from './value-types.ts';

/** `spill:` of the file: where calls are recorded while the database is away. */
export const spillSettings = {
  dir: {
    type: filePath('a path'),
    environment: 'HOLDFAST_SPILL_DIR',
    default: undefined,
    defaultText: '`spill` in the data folder with the embedded database; none with `DATABASE_URL`',
    description:
      'Folder where calls are recorded while the database is away, encrypted, until they can be brought to it; without one, calls are refused meanwhile. Needs a disk that the restarted instance sees again: what is there is nowhere else. One for each instance.',
  },
  maxBytes: {
    type: integer(0, 1_125_899_906_842_624),
    environment: 'HOLDFAST_SPILL_MAX_BYTES',
    default: 268_435_456,
    defaultText: '268435456 (256 MiB)',
    description:
      'Most that is kept there, in bytes; a call takes about 3,000. Beyond it calls are refused until the database is back. `0` keeps nothing.',
  },
  keySeconds: {
    type: integer(0, 604_800),
    environment: 'HOLDFAST_SPILL_KEY_SECONDS',
    default: 3_600,
    description:
      'Seconds that keys which were in use go on while calls are recorded there, beyond the minute that they have anyway: nobody can be asked whether they were revoked. `0` ends calls after that minute.',
  },
} as const satisfies SettingSection;
