import { catalogContract } from './catalog-contract.ts';
import { postgresHarness } from './harness.ts';
import { storeContract } from './store-contract.ts';

storeContract('the store on PostgreSQL', postgresHarness);
catalogContract('the catalog on PostgreSQL', postgresHarness);
