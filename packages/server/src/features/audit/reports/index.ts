export { makeReport, type ReportRequest } from './make-report.ts';
export type { Retention } from './personal-data.ts';
export { reportPage, reportPagePolicy } from './report-page.ts';
