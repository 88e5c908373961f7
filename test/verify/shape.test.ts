import { condition, type ChainShape } from '../../src/verify/shape';

/** What takes connections to these ranges. */
const to = (...cidrs: readonly string[]): ChainShape => ({
  sniHosts: [],
  cidrs,
  applicationProtocols: [],
  transport: '',
  terminates: false,
  routeConfig: undefined,
  clusters: [],
  tunnel: '',
});

describe('the condition of a filter chain', () => {
  it.each([
    ['an address is a range of one', ['203.0.113.10'], ['203.0.113.10/32']],
    ['bits beyond the prefix say nothing', ['203.0.113.10/24'], ['203.0.113.0/24']],
    ['every address is no range', ['0.0.0.0/0'], []],
    ['order says nothing', ['203.0.113.1', '198.51.100.0/24'], ['198.51.100.0/24', '203.0.113.1/32']],
  ])('%s', (_law, written, sent) => {
    expect(condition(to(...written))).toBe(condition(to(...sent)));
  });

  it('sets ranges apart', () => {
    expect(condition(to('203.0.113.10'))).not.toBe(condition(to('203.0.113.0/24')));
  });
});
