// A provider of OpenID Connect that somebody else wrote (`oidc-provider`), as a process of its own, so that its clock may be wrong.
//
// ISSUER     its address on this machine
// BACK       where it sends browsers back to
// SECRET     of its only client, `dianjing`
// CLOCK      seconds by which its clock is ahead (default: 0)
// KEY        `RS256` (default) or `ES256`; a key of its own at each start
// KID        the name of the key (default: one of its own as well)
// SAYS       claims, as JSON, that its ID tokens hold in place of the right ones, signed all the same
// PERSON     claims, as JSON, about whoever logs in
// AUTH       how its client says who it is (default: `client_secret_basic`)

import { generateKeyPairSync, sign } from 'node:crypto';
// @ts-expect-error -- it comes without types.
import Provider from 'oidc-provider';

const { ISSUER = '', BACK = '', SECRET = '', CLOCK = '0', KEY = 'RS256', KID, SAYS, PERSON = '{}', AUTH = 'client_secret_basic' } = process.env;

const now = Date.now;
Date.now = () => now() + 1000 * Number(CLOCK);

const { privateKey } = KEY === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
const DAY = 86_400;

const provider = new Provider(ISSUER, {
  clients: [
    {
      client_id: 'dianjing', client_secret: SECRET, redirect_uris: [BACK], grant_types: ['authorization_code'], response_types: ['code'],
      token_endpoint_auth_method: AUTH, id_token_signed_response_alg: KEY,
    },
  ],
  clientAuthMethods: [AUTH],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: KEY, use: 'sig', ...(KID && { kid: KID }) }] },
  cookies: { keys: [SECRET] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  // Browsers have the right time, and would throw away at once what ends by a clock that is hours behind.
  ttl: { Interaction: DAY, Session: DAY, Grant: DAY, AccessToken: 3600, AuthorizationCode: 60, IdToken: 300 },
  /** @param {unknown} _ @param {string} id */
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...JSON.parse(PERSON) }) }),
  features: { devInteractions: { enabled: false } },
  interactions: { url: /** @param {unknown} _ @param {{ uid: string }} asked */ (_, { uid }) => `/who/${uid}` },
  // Whoever logs in to its only client has agreed.
  /** @param {any} context */
  loadExistingGrant: async ({ oidc }) => {
    const grant = new provider.Grant({ accountId: oidc.session?.accountId, clientId: oidc.client?.clientId });
    grant.addOIDCScope('openid email');
    await grant.save();
    return grant;
  },
});

provider.use(/** @param {any} context @param {() => Promise<void>} next */ async (context, next) => {
  if (!context.path.startsWith('/who/')) {
    await next();
    if (SAYS && context.path === '/token' && context.body?.id_token) context.body.id_token = signedAnew(context.body.id_token, JSON.parse(SAYS));
  } else if (context.method === 'GET') {
    context.type = 'html';
    context.body = `<!doctype html><title>Log in</title><form method="post"><button name="who" value="yes">Come in</button></form>
      <form method="post" action="${context.path}?no"><button>No</button></form>`;
  } else {
    const result = context.search === '?no' ? { error: 'access_denied' } : { login: { accountId: 'account-1' } };
    context.redirect(await provider.interactionResult(context.req, context.res, result));
  }
});

/**
 * A token that says something else, by the same key.
 * @param {string} token
 * @param {object} claims
 */
function signedAnew(token, claims) {
  const [head = '', body = ''] = token.split('.');
  const said = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), ...claims })).toString('base64url');
  const key = KEY === 'ES256' ? { key: privateKey, dsaEncoding: /** @type {const} */ ('ieee-p1363') } : privateKey;
  return `${head}.${said}.${sign('sha256', Buffer.from(`${head}.${said}`), key).toString('base64url')}`;
}

const { hostname, port } = new URL(ISSUER);
provider.listen(Number(port), hostname, () => console.log('open'));
