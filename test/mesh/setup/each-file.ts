import { labOf } from './labs';

process.env.MESH_EDGE_LAB_NAME = labOf(process.env.JEST_WORKER_ID!);
// A world takes seconds to apply, and what must pass is tried for ten.
jest.setTimeout(90_000);
