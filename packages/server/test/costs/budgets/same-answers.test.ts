import { createSeededRandom } from '@holdfast/kit/testing';
import { systemClock } from '@holdfast/kit/time';
import { expect, test } from 'vitest';
import { createDatabaseSliceStore, type SliceQuestion } from '../../../src/features/costs/budgets/index.ts';
import { writeBeat } from '../../../src/features/costs/index.ts';
import { startTestDatabase } from '../../support/postgres.ts';
import { newId } from '../fixture.ts';
import { MemorySlices } from './memory-slices.ts';
import { addBudget, addOrganization } from './scene.ts';

test('the database answers as what stands in for it in simulations', async () => {
  const postgres = await startTestDatabase();
  try {
    const database = await postgres.open();
    const organizationId = await addOrganization(postgres);
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = createSeededRandom(seed);
    const upTo = (most: number) => Math.floor(random.next() * (most + 1));
    const memory = new MemorySlices();
    const store = createDatabaseSliceStore(database, systemClock);
    const ids: string[] = [];
    for (const enforcement of ['hard', 'soft'] as const) {
      const { id, limitNanoUsd } = await addBudget(postgres, organizationId, { enforcement, limitNanoUsd: 1_000 });
      memory.budgets.set(id, { limitNano: limitNanoUsd, hard: enforcement === 'hard', deleted: false });
      ids.push(id);
    }
    ids.push(newId());
    const instances = [newId(), newId(), newId()];
    for (const id of instances) await writeBeat(database, id);
    for (let turn = 0; turn < 150; turn++) {
      const instance = instances[upTo(2)]!;
      const spentNano = upTo(200);
      const reservedNano = upTo(100);
      const question: SliceQuestion = {
        ...{ budgetId: ids[upTo(9) === 0 ? 2 : upTo(1)]!, periodStartMs: 0, periodEndMs: Number.POSITIVE_INFINITY, countedFromMs: 0 },
        // Now and then one that was overtaken.
        version: Math.max(1, turn - (upTo(5) === 0 ? 20 : 0)),
        ...{ spentNano, reservedNano, keepNano: spentNano + reservedNano + upTo(50) },
        ...{ needNano: upTo(1) * upTo(400), wantNano: upTo(800), closes: turn > 120 && upTo(9) === 0 },
      };
      const [answer] = await store.lease(instance, [question]);
      expect(answer, `seed ${seed}, turn ${turn}: ${JSON.stringify(question)}`).toEqual(memory.lease(instance, [question])[0]);
    }
  } finally {
    await postgres.stop();
  }
});
