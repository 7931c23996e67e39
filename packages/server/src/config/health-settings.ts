import type { SettingSection } from './setting.ts';
import { integer, text } from './value-types.ts';

/** `health:` of the file: how often dependencies are asked, what is too little, and probes from a thread of their own. */
export const healthSettings = {
  checkIntervalSeconds: {
    type: integer(1, 3_600),
    environment: 'HEALTH_CHECK_INTERVAL',
    default: 60,
    description:
      'Seconds between two checks of a dependency that works. One that does not is asked every second, and what real calls see counts at once: this is for what nobody uses.',
  },
  diskFreeBytes: {
    type: integer(0, 1_125_899_906_842_624),
    environment: 'HOLDFAST_HEALTH_DISK_FREE_BYTES',
    default: 1_073_741_824,
    defaultText: '1073741824 (1 GiB)',
    description:
      'Free space, in bytes, below which the disk of the data folder, and that of the log file, degrade the report. `0` does not look at them.',
  },
  port: {
    type: integer(0, 65_535),
    environment: 'HOLDFAST_HEALTH_PORT',
    default: undefined,
    defaultText: 'none',
    description:
      'A second port for `/health`, `/health/live` and `/health/ready`, served by a thread of its own: it answers while the event loop is busy, and says `unhealthy` once the loop stands still. For probes; keep it inside of the cluster. `0` takes any free port.',
  },
  host: {
    type: text('a host name or IP address', /^[\w.:%-]{1,253}$/),
    environment: 'HOLDFAST_HEALTH_HOST',
    default: undefined,
    defaultText: 'that of `HOLDFAST_HOST`',
    description: 'Address of that second port.',
  },
  stuckMs: {
    type: integer(500, 3_600_000),
    environment: 'HOLDFAST_HEALTH_STUCK_MS',
    default: 15_000,
    description:
      'Milliseconds in which the event loop does not turn once, after which the second port says that the process is stuck and has to be restarted.',
  },
} as const satisfies SettingSection;
