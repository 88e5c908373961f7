import { nearestName } from '../../src/model/near-names';

describe('a name that nothing has', () => {
  it.each([
    ['shpo', ['web', 'shop'], 'shop'],
    ['paymnts', ['payments'], 'payments'],
    ['api.strpie.com', ['api.stripe.com', 'api.github.com'], 'api.stripe.com'],
    ['istio-egress/egres', ['istio-egress/egress', 'istio-egress/east'], 'istio-egress/egress'],
    ['Public_Gateway', ['public-gateway'], 'public-gateway'],
    ['apiexample.com', ['api.example.com'], 'api.example.com'],
    ['edition.cnm.com', ['edition.cnn.com'], 'edition.cnn.com'],
    ['bd', ['db', 'web'], 'db'],
    ['frontend1', ['frontend'], 'frontend'],
  ])('is a slip: %s of %j', (name, known, meant) => {
    expect(nearestName(name, known)).toBe(meant);
  });

  it.each([
    ['gone.example.com', ['api.example.com']],
    ['eu.example.com', ['us.example.com']],
    ['reviews-v3', ['reviews-v1', 'reviews-v2']],
    ['gateway-1', ['gateway-2']],
    ['ratings', ['reviews']],
    ['dev', ['prod', 'test']],
    ['istio-egress/egress', ['istio-ingress/ingress']],
    ['api.example.com', ['example.com']],
    ['web', []],
  ])('is the name of something else: %s beside %j', (name, known) => {
    expect(nearestName(name, known)).toBeUndefined();
  });

  it('is the nearest of several', () => {
    expect(nearestName('checkuot', ['checkout-v', 'checkout', 'checkouts'])).toBe('checkout');
  });
});
