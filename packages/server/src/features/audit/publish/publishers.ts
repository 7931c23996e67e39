import { hash } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import type { ObjectStore } from '../../../platform/objects/index.ts';
import type { SignedWebhook } from '../../../platform/webhooks/index.ts';
import { checkpointName, type CheckpointPublisher } from './checkpoint-publisher.ts';

/**
 * A file for each checkpoint in a folder: of a volume that is written once, a repository that others pull, a share of another team. A file
 * that is there is never written over; one with other content is `delivery_refused`, and a finding.
 */
export function folderPublisher(folder: string): CheckpointPublisher {
  return {
    name: 'folder',
    async publish({ size, note }) {
      const path = join(folder, checkpointName(size));
      try {
        await mkdir(folder, { recursive: true });
        const file = await open(path, 'wx', 0o644);
        try {
          await file.writeFile(note);
          await file.sync();
        } finally {
          await file.close();
        }
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EEXIST')
          throw new HoldfastError('delivery_failed', { detail: `folder of checkpoints: ${code ?? 'failed'}`, cause: error });
        const there = await readFile(path, 'utf8').catch((cause: unknown) => {
          throw new HoldfastError('delivery_failed', { detail: 'folder of checkpoints: it is no folder', cause });
        });
        if (textOf(there) === textOf(note)) return;
        // Half a file is what a crash leaves.
        if (note.startsWith(there))
          throw new HoldfastError('delivery_refused', { detail: `${checkpointName(size)} is cut off: remove it` });
        throw new HoldfastError('delivery_refused', {
          detail: `${checkpointName(size)} holds another checkpoint: the log was shown in two versions`,
        });
      }
    },
  };
}

/** What is signed: two signatures of one text differ by their times. */
function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}

/** An object for each checkpoint, put only where there is none: in a bucket with a lock on objects nobody can take it back. */
export function objectStorePublisher(store: ObjectStore, prefix: string): CheckpointPublisher {
  return {
    name: 'object-store',
    async publish({ size, note }, context) {
      await store.putNew({ key: `${prefix}${checkpointName(size)}`, body: note, contentType: 'text/plain; charset=utf-8' }, context);
    },
  };
}

/** A signed message for each checkpoint; its id is the same when it is sent again. */
export function webhookPublisher(webhook: SignedWebhook, clock: Clock): CheckpointPublisher {
  return {
    name: 'webhook',
    publish({ origin, size, note }, context) {
      const id = `audit_${hash('sha256', `${origin}\n${size}`, 'base64url')}`;
      const body = { type: 'audit.checkpoint', timestamp: new Date(clock.now()).toISOString(), data: { origin, size, checkpoint: note } };
      return webhook.send({ id, body }, context);
    },
  };
}
