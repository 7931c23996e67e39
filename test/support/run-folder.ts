import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { roomyFolder } from './roomy-folder.ts';

/** A folder for what test files of one run share; told to them by TEST_RUN_FOLDER. */
export function setup(): () => void {
  const folder = mkdtempSync(join(roomyFolder(), 'holdfast-test-run-'));
  // Passable for PostgreSQL's user when this is root.
  chmodSync(folder, 0o711);
  process.env['TEST_RUN_FOLDER'] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
