import type { Clock, Timer } from '../../time/index.ts';
import type { CallContext } from '../call-context.ts';
import { deadlineExceeded } from '../deadline-error.ts';
import { maxTimerMs } from '../timeout.ts';
import type { BreakerAdmission } from './circuit-breaker.ts';

/**
 * Waits for the store's word on who may probe, as long as somebody waits for the call. A permit that comes too late is
 * given back, since nobody else would do it.
 */
export function awaitAdmission(
  admission: Promise<BreakerAdmission>,
  { cancellation, deadlineAt }: CallContext,
  name: string,
  clock: Clock,
): Promise<BreakerAdmission> {
  return new Promise((resolve, reject) => {
    let waits = true;
    let timer: Timer | undefined;
    const end = () => {
      waits = false;
      timer?.cancel();
      unlink();
    };
    const giveUp = (reason: unknown) => {
      end();
      reject(reason);
    };
    let unlink = () => {};
    if (cancellation.cancelled) giveUp(cancellation.reason);
    else unlink = cancellation.onCancel(giveUp);
    if (waits && deadlineAt !== Number.POSITIVE_INFINITY) {
      const restMs = Math.max(0, deadlineAt - clock.monotonic());
      timer = clock.setTimeout(() => giveUp(deadlineExceeded(name, restMs)), Math.min(restMs, maxTimerMs), true);
    }
    admission.then((granted) => {
      if (waits) {
        end();
        resolve(granted);
      } else if (granted.admitted) {
        granted.abandoned();
      }
    }, giveUp);
  });
}
