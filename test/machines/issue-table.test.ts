import { tableSuite } from './table.ts';

tableSuite('development build');
