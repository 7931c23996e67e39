import { defineChannel } from '@holdfast/kit/events';

export interface MinutesUnsaved {
  readonly error: unknown;
}

/** Minutes could not be stored; they are kept and tried again. Announced once until it works again. */
export const minutesUnsaved = defineChannel<MinutesUnsaved>('holdfast:performance:minutes-unsaved');

export interface MinutesSavedAgain {
  /** Minutes that were forgotten meanwhile, because it took too long. */
  readonly lostMinutes: number;
}

export const minutesSavedAgain = defineChannel<MinutesSavedAgain>('holdfast:performance:minutes-saved-again');
