import { catalogContract } from './catalog-contract.ts';
import { memoryHarness } from './harness.ts';
import { storeContract } from './store-contract.ts';

storeContract('the store in memory', memoryHarness);
catalogContract('the catalog in memory', memoryHarness);
