/** Who sends the requests that are followed: asked of src/traffic, once. */
import { type Sender, senders } from '../../traffic/senders';
import { defineIndex } from '../context';

export { OUTSIDE } from '../../traffic/senders';
export type Client = Sender;

export const clients = defineIndex('clients', ({ mesh }): readonly Client[] => senders(mesh));
