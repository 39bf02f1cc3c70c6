// What the roles of deploy/iam allow, asked of a simulator of IAM nobody here wrote: each hole that
// such roles are known for, and beside it the use that must work.
// Reads {hub, organization, externalId, provider, partitions} from standard input.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(`${process.argv[2]}/x.js`)
const found = require.resolve('@cloud-copilot/iam-simulate')
const { runSimulation } = await import(pathToFileURL(found))
const given = JSON.parse(readFileSync(0, 'utf8'))
const { hub, organization, externalId, provider } = given
const MEMBER = '210987654321'

// One request: who, with which permissions, does what to what, under which circumstances.
async function allowed({ principal, identity, trust, action, resource, account, context, boundary }) {
  const simulation = {
    request: { action, principal, resource: { resource, accountId: account }, contextVariables: context },
    identityPolicies: identity ? [{ name: 'own', policy: identity }] : [],
    resourcePolicy: trust,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    permissionBoundaryPolicies: boundary,
  }
  const outcome = await runSimulation(simulation, { simulationMode: 'Strict' })
  if (outcome.resultType === 'error') throw new Error(JSON.stringify(outcome.errors))
  return outcome.overallResult === 'Allowed'
}

// The simulator knows the condition keys of a few providers only, so one of them stands in for ours.
const KNOWN = 'accounts.google.com'
const known = (trust) => JSON.parse(JSON.stringify(trust).replaceAll(provider, KNOWN))

function* cases({ partition, region, roles }) {
  const arn = (rest) => `arn:${partition}:${rest}`
  const session = (role) => role.arn.replace(':iam:', ':sts:').replace(/:role\/.*\//, ':assumed-role/') + '/cloudtrail-exporter'
  const own = { 'aws:PrincipalOrgID': organization, 'aws:PrincipalArn': roles.ecs.arn }
  const anything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }

  // The hub's permissions, where the role in the other account would let it in.
  const open = (name) => ({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: arn(`iam::${hub}:role/${name}`) }, Action: 'sts:AssumeRole' }],
  })
  const hubName = roles.ecs.arn.split(':role/')[1]
  const assume = (role, context) => ({
    principal: roles.ecs.arn, identity: roles.ecs.policy, trust: open(hubName),
    action: 'sts:AssumeRole', resource: arn(`iam::${MEMBER}:role/${role}`), account: MEMBER, context: { ...own, ...context },
  })
  const inside = { 'aws:ResourceOrgID': organization }
  const read = 'audit/cloudtrail-exporter-read'
  yield ['hub: the reading role inside the organization', true, assume(read, inside)]
  yield ['hub: the reading role of another organization', false, assume(read, { 'aws:ResourceOrgID': 'o-attackersorg' })]
  yield ['hub: the reading role of an account in no organization', false, assume(read, {})]
  yield ['hub: a role of another path', false, assume('cloudtrail-exporter-read', inside)]
  yield ['hub: a role whose name begins so', false, assume(`${read}-admin`, inside)]
  yield ['hub: any other role', false, assume('OrganizationAccountAccessRole', inside)]
  yield ['hub: more than AssumeRole', false, { ...assume(read, inside), action: 'sts:TagSession' }]
  for (const action of ['cloudtrail:StopLogging', 'cloudtrail:LookupEvents', 'iam:ListRoles', 's3:ListAllMyBuckets', 'organizations:MoveAccount']) {
    const resource = action.startsWith('cloudtrail:Stop') ? arn(`cloudtrail:${region}:${hub}:trail/audit`) : '*'
    const moved = action.startsWith('organizations') ? arn(`organizations::${hub}:account/${organization}/${MEMBER}`) : resource
    yield [`hub: ${action}`, false, { principal: roles.ecs.arn, identity: roles.ecs.policy, action, resource: moved, account: hub, context: own }]
  }

  // The trust of the roles that the exporter assumes.
  for (const name of ['read', 'discovery']) {
    const role = roles[name]
    const enter = (principal, context) => ({
      principal, identity: anything, trust: role.trust, action: 'sts:AssumeRole',
      resource: role.arn, account: hub, context: { 'aws:PrincipalArn': principal, ...context },
    })
    const exporter = arn(`iam::${hub}:role/exporters/cloudtrail-exporter`)
    const right = { 'aws:PrincipalOrgID': organization, 'sts:ExternalId': externalId }
    yield [`${name}: the exporter`, true, enter(exporter, right)]
    yield [`${name}: another role of the hub's account`, false, enter(arn(`iam::${hub}:role/admin`), right)]
    yield [`${name}: the exporter's name without its path`, false, enter(arn(`iam::${hub}:role/cloudtrail-exporter`), right)]
    yield [`${name}: that role in another account`, false, enter(arn(`iam::${MEMBER}:role/exporters/cloudtrail-exporter`), right)]
    yield [`${name}: without the external ID`, false, enter(exporter, { 'aws:PrincipalOrgID': organization })]
    yield [`${name}: with another external ID`, false, enter(exporter, { ...right, 'sts:ExternalId': 'guessed' })]
    yield [`${name}: once the hub has left the organization`, false, enter(exporter, { 'sts:ExternalId': externalId })]
    yield [`${name}: once the hub has joined another`, false, enter(exporter, { ...right, 'aws:PrincipalOrgID': 'o-attackersorg' })]
  }

  // The permissions of those roles.
  const does = (role, action, resource) => ({
    principal: session(role), identity: role.policy, action, resource, account: hub, context: {},
  })
  const trail = arn(`cloudtrail:${region}:${hub}:trail/audit`)
  for (const action of ['DescribeTrails', 'GetTrailStatus', 'GetEventSelectors']) {
    const resource = action === 'DescribeTrails' ? '*' : trail
    yield [`read: ${action}`, true, does(roles.read, `cloudtrail:${action}`, resource)]
    yield [`discovery: ${action}`, false, does(roles.discovery, `cloudtrail:${action}`, resource)]
  }
  for (const action of ['StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors', 'GetTrail']) {
    yield [`read: ${action}`, false, does(roles.read, `cloudtrail:${action}`, trail)]
  }
  yield ['read: no listing', false, does(roles.read, 'organizations:ListAccounts', '*')]
  yield ['discovery: ListAccounts', true, does(roles.discovery, 'organizations:ListAccounts', '*')]
  yield ['discovery: no role further on', false, does(roles.discovery, 'sts:AssumeRole', arn(`iam::${MEMBER}:role/${read}`))]

  // Who may become the exporter.
  const irsa = (sub, aud, issuer = KNOWN) => ({
    principal: arn(`iam::${hub}:oidc-provider/${issuer}`), trust: known(roles['eks-irsa'].trust),
    action: 'sts:AssumeRoleWithWebIdentity', resource: roles['eks-irsa'].arn, account: hub,
    context: { ...(sub && { [`${KNOWN}:sub`]: sub }), ...(aud && { [`${KNOWN}:aud`]: aud }) },
  })
  const us = 'system:serviceaccount:monitoring:cloudtrail-exporter'
  const sts = 'sts.amazonaws.com'
  yield ['irsa: our service account', true, irsa(us, sts)]
  yield ['irsa: another service account of the namespace', false, irsa('system:serviceaccount:monitoring:grafana', sts)]
  yield ['irsa: our name in another namespace', false, irsa('system:serviceaccount:default:cloudtrail-exporter', sts)]
  yield ['irsa: a token for another audience', false, irsa(us, 'vault')]
  yield ['irsa: a token without a subject', false, irsa(undefined, sts)]
  yield ['irsa: a token without an audience', false, irsa(us, undefined)]
  yield ['irsa: another cluster', false, irsa(us, sts, 'oidc.eks.example.com/id/FEDCBA9876543210')]
  const service = (name, role, source, account) => ({
    principal: `${name}.amazonaws.com`, trust: role.trust, action: 'sts:AssumeRole', resource: role.arn, account: hub,
    context: { ...(source && { 'aws:SourceArn': source, 'aws:SourceAccount': account }) },
  })
  const pods = (cluster, account, at = region) => service('pods.eks', roles['eks-pod-identity'], arn(`eks:${at}:${account}:cluster/${cluster}`), account)
  yield ['pod identity: our cluster', true, pods('tools', hub)]
  yield ['pod identity: another cluster of the account', false, pods('other', hub)]
  yield ['pod identity: a cluster of that name in another Region', false, pods('tools', hub, 'eu-central-1')]
  yield ['pod identity: a cluster of that name in another account', false, pods('tools', MEMBER)]
  const task = (account) => service('ecs-tasks', roles.ecs, arn(`ecs:${region}:${account}:task/x/1`), account)
  yield ['ecs: a task of the account', true, task(hub)]
  yield ['ecs: a task of another account', false, task(MEMBER)]
  yield ['ecs: no word of whose task', false, service('ecs-tasks', roles.ecs)]
  yield ['ec2: an instance', true, service('ec2', roles.ec2)]
  yield ['ec2: another service', false, service('lambda', roles.ec2)]
  yield ['ecs: an instance', false, { ...task(hub), principal: 'ec2.amazonaws.com' }]
}

let passed = 0
let failed = 0
for (const partition of given.partitions) {
  for (const [name, wanted, request] of cases(partition)) {
    let got
    try {
      got = await allowed(request)
    } catch (error) {
      got = error.message
    }
    if (got === wanted) passed += 1
    else {
      failed += 1
      console.log(`FAILED ${partition.partition}, ${name}: ${got}, not ${wanted}`)
    }
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0)
