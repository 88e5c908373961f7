/** The labs of one run of the mesh tests: one for each of jest's workers, so that what one test does to its lab is seen by no other. */

/** The one that already runs and that the tests are to take, by `MESH_EDGE_LAB`. */
export const given = (): string | undefined => process.env.MESH_EDGE_LAB;

/** The name of the lab that a worker's tests use; workers count from 1. */
export const labOf = (worker: number | string): string => given() ?? `${process.env.MESH_EDGE_LABS}-${worker}`;
