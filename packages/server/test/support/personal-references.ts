import { systemRandom } from '@holdfast/kit/time';
import { PersonalReferences } from '../../src/platform/audit/index.ts';
import { createKeyRing } from '../../src/platform/keyring/index.ts';

/** References under a master key of their own. */
export function createReferences(): PersonalReferences {
  return new PersonalReferences({ keyRing: createKeyRing([{ version: 1, secret: Buffer.alloc(32, 7) }]), random: systemRandom });
}
