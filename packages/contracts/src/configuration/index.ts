export {
  configurationFaults,
  configurationState,
  reloadReport,
  type ConfigurationFaultsBody,
  type ConfigurationStateBody,
  type NameChangesBody,
  type ReloadReportBody,
} from './configuration.ts';
