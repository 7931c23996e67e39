export { readActivity, type ActivitySubject } from './activity.ts';
export { scopeOf, withScope, type AuditScope, type ScopedDatabase } from './audit-scope.ts';
export { referencesIn, toEventBody, type Revealed } from './event-body.ts';
export { loggedEventOf } from './logged-event.ts';
export { findEvent, readEvents, type AuditFilter, type LoggedLeaf } from './read-events.ts';
