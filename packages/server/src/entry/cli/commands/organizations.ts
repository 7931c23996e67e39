import type { Command } from 'commander';
import { toOrganizationBody, type Organization } from '../../../features/identity/index.ts';
import { operatorAtTerminal } from '../../../platform/audit/index.ts';
import type { CommandContext } from '../context.ts';
import { parseLimit } from '../limit.ts';
import { formatTable } from '../table.ts';

const pageSize = 100;

export function addOrganizations(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const organizations = program.command('organizations').description('list organizations and change their tiers');

  organizations
    .command('list')
    .description('list the organizations, newest first')
    .option('--limit <number>', 'at most so many', parseLimit, pageSize)
    .option('--json', 'as JSON')
    .action(async ({ limit, json }: { limit: number; json?: true }) => {
      const found: Organization[] = [];
      const more = await dependencies.organizations(context.configuration(), async (service) => {
        for (;;) {
          const page = await service.list({ limit: Math.min(pageSize, limit - found.length), beforeId: found.at(-1)?.id });
          found.push(...page.organizations);
          if (!page.more || found.length >= limit) return page.more;
        }
      });
      if (json) terminal.out(`${JSON.stringify({ data: found.map(toOrganizationBody) }, undefined, 2)}\n`);
      else terminal.out(found.length === 0 ? 'There are no organizations.\n' : table(found));
      if (more) terminal.error('There are more: raise --limit.\n');
    });

  organizations
    .command('tier')
    .description('count the requests of an organization by another tier, on every instance within a second')
    .argument('<organization>', 'its id or slug, as `organizations list` shows them')
    .argument('<tier>', 'basic, pro, enterprise, unlimited, or one of the configuration')
    .option('--json', 'as JSON')
    .action(async (name: string, tier: string, { json }: { json?: true }) => {
      const changed = await dependencies.organizations(context.configuration(), async (service) => {
        const { id } = await service.find(name);
        return service.setTier(id, tier, operatorAtTerminal);
      });
      terminal.out(json ? `${JSON.stringify(toOrganizationBody(changed), undefined, 2)}\n` : table([changed]));
    });
}

function table(organizations: readonly Organization[]): string {
  return formatTable(
    ['ID', 'SLUG', 'NAME', 'TIER'],
    organizations.map(({ id, slug, name, tier }) => [id, slug, name, tier]),
  );
}
