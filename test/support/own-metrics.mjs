// Loaded with a server by `--import`, as docs/guides/metrics.md shows it.
import { createCustomMetrics } from '@holdfast/kit/telemetry';

const custom = createCustomMetrics();
custom.gauge({ name: 'licence_end_timestamp_seconds', help: 'When our licence ends.', read: () => Date.UTC(2027, 0, 1) / 1000 });
custom.publish();
