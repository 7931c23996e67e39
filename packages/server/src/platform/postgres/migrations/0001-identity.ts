import { sql, type Kysely } from 'kysely';

/**
 * Users, organizations and members in the shape of better-auth 1.7 with its organization plugin: quoted camelCase columns are what
 * its kysely adapter asks for by default. Ids are UUIDs (`advanced.database.generateId`).
 */
export async function identity(database: Kysely<unknown>): Promise<void> {
  await sql`
    create schema identity;

    create table identity."user" (
      id uuid primary key,
      name text not null,
      email text not null unique,
      "emailVerified" boolean not null default false,
      image text,
      "createdAt" timestamptz(3) not null default now(),
      "updatedAt" timestamptz(3) not null default now()
    );

    create table identity.organization (
      id uuid primary key,
      name text not null,
      slug text not null unique,
      logo text,
      metadata text,
      "createdAt" timestamptz(3) not null default now()
    );

    create table identity.member (
      id uuid primary key,
      "organizationId" uuid not null references identity.organization (id) on delete cascade,
      "userId" uuid not null references identity."user" (id) on delete cascade,
      role text not null default 'member',
      "createdAt" timestamptz(3) not null default now(),
      unique ("organizationId", "userId")
    );
    create index member_user on identity.member ("userId");

    create table identity.invitation (
      id uuid primary key,
      "organizationId" uuid not null references identity.organization (id) on delete cascade,
      email text not null,
      role text,
      status text not null default 'pending',
      "expiresAt" timestamptz(3) not null,
      "createdAt" timestamptz(3) not null default now(),
      "inviterId" uuid not null references identity."user" (id) on delete cascade
    );
    create index invitation_organization on identity.invitation ("organizationId");
    create index invitation_email on identity.invitation (email);
    create index invitation_inviter on identity.invitation ("inviterId");

    create table identity.session (
      id uuid primary key,
      "userId" uuid not null references identity."user" (id) on delete cascade,
      token text not null unique,
      "expiresAt" timestamptz(3) not null,
      "ipAddress" text,
      "userAgent" text,
      "activeOrganizationId" uuid,
      "createdAt" timestamptz(3) not null default now(),
      "updatedAt" timestamptz(3) not null default now()
    );
    create index session_user_id on identity.session ("userId");

    create table identity.account (
      id uuid primary key,
      "userId" uuid not null references identity."user" (id) on delete cascade,
      "accountId" text not null,
      "providerId" text not null,
      "accessToken" text,
      "refreshToken" text,
      "idToken" text,
      "accessTokenExpiresAt" timestamptz(3),
      "refreshTokenExpiresAt" timestamptz(3),
      scope text,
      password text,
      "createdAt" timestamptz(3) not null default now(),
      "updatedAt" timestamptz(3) not null default now()
    );
    create index account_user on identity.account ("userId");

    create table identity.verification (
      id uuid primary key,
      identifier text not null,
      value text not null,
      "expiresAt" timestamptz(3) not null,
      "createdAt" timestamptz(3) not null default now(),
      "updatedAt" timestamptz(3) not null default now()
    );
    create index verification_identifier on identity.verification (identifier);

    grant usage on schema identity to holdfast_identity, holdfast_app, holdfast_operator;
    grant select, insert, update, delete on all tables in schema identity to holdfast_identity;
    grant select on identity.organization, identity.member to holdfast_app;
    grant select, insert, update on identity.organization to holdfast_operator;

    -- Also on those without an organization: a grant given by mistake later then still opens nothing.
    alter table identity."user" enable row level security, force row level security;
    alter table identity.organization enable row level security, force row level security;
    alter table identity.member enable row level security, force row level security;
    alter table identity.invitation enable row level security, force row level security;
    alter table identity.session enable row level security, force row level security;
    alter table identity.account enable row level security, force row level security;
    alter table identity.verification enable row level security, force row level security;

    create policy identity_all on identity."user" to holdfast_identity using (true) with check (true);
    create policy identity_all on identity.organization to holdfast_identity using (true) with check (true);
    create policy identity_all on identity.member to holdfast_identity using (true) with check (true);
    create policy identity_all on identity.invitation to holdfast_identity using (true) with check (true);
    create policy identity_all on identity.session to holdfast_identity using (true) with check (true);
    create policy identity_all on identity.account to holdfast_identity using (true) with check (true);
    create policy identity_all on identity.verification to holdfast_identity using (true) with check (true);

    create policy operator_all on identity.organization to holdfast_operator using (true) with check (true);

    -- The setting is empty, not null, after a transaction that set it. In a subselect it is read once a statement, not once a row.
    create policy app_own on identity.organization for select to holdfast_app
      using (id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy app_own on identity.member for select to holdfast_app
      using ("organizationId" = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
  `.execute(database);
}
