export { describeAlert, describeNotification, type AlertText, type AlertTextSection, type DescribeOptions } from './describe.ts';
export { formatDuration, formatMoment, formatValue } from './format-value.ts';
