/** How each rule is confirmed. A unit test holds that no case of a rule is left out. */
import { BY_ADMISSION } from './by-admission';
import { BY_AMBIENT } from './by-ambient';
import { BY_CONFIGURATION } from './by-configuration';
import { BY_LAB } from './by-lab';
import { BY_NETWORK } from './by-network';
import { BY_OTHER_MEANS } from './by-other-means';
import { BY_REQUEST } from './by-request';
import { BY_SOURCE } from './by-source';
import { type Confirmation, type Confirmations } from './confirmation';

export const CONFIRMATIONS: Confirmations = {
  ...BY_ADMISSION,
  ...BY_REQUEST,
  ...BY_CONFIGURATION,
  ...BY_LAB,
  ...BY_AMBIENT,
  ...BY_NETWORK,
  ...BY_OTHER_MEANS,
  ...BY_SOURCE,
};

/** The confirmations of one kind, with their cases. */
export function confirmedBy<K extends Confirmation['by']>(
  by: K,
): readonly [string, Extract<Confirmation, { by: K }>][] {
  return Object.entries(CONFIRMATIONS).filter(
    (one): one is [string, Extract<Confirmation, { by: K }>] => one[1].by === by,
  );
}
