export type { PreparedReload, Reloadable } from './reloadable.ts';
