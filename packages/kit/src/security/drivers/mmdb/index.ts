export { openCountryDatabase, type CountryDatabase } from './country-database.ts';
