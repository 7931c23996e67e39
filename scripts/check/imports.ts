import { checkImports } from '../architecture/check-imports.ts';
import type { Workbench } from './workbench.ts';

export async function checkImportRules({ root }: Workbench): Promise<string[]> {
  const { violations, importsSeen } = await checkImports(root);
  if (importsSeen < 100)
    return [`Only ${importsSeen} imports were seen: the parser reads no TypeScript (is @swc/core installed?), so nothing was checked.`];
  return violations.map(({ rule, from, to, advice }) => `${rule}: ${from} → ${to}\n  ${advice}`);
}
