import { Lab } from './lab';
import { istioModule } from './versions';

describe('a machine that cannot run a lab', () => {
  afterEach(() => jest.restoreAllMocks());

  it('is told that root is missing', async () => {
    jest.spyOn(process, 'getuid').mockReturnValue(1000);
    const start = Lab.start({ name: 'no-root', attached: true });
    await expect(start).rejects.toThrow(/^the lab needs (root|Linux)/);
  });

  it('is told what a lab may be called', async () => {
    await expect(Lab.start({ name: '../etc', attached: true })).rejects.toThrow('"../etc" is no name for a lab');
  });

  it('is told which releases of Istio there are', () => {
    expect(() => istioModule('0.1.0')).toThrow('the lab has no Istio "0.1.0"; it can run 1.29.1');
  });
});
