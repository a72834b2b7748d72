-- Runs once, after the roles are there. The services' own role owns the schemas, and what its
-- migrations make in them.
CREATE DATABASE nova_auth;
CREATE DATABASE nova_messaging;
GRANT ALL ON DATABASE nova_auth, nova_messaging TO app_user;

\connect nova_auth
CREATE SCHEMA auth AUTHORIZATION app_user;
CREATE SCHEMA streaming AUTHORIZATION app_user;

\connect nova_messaging
CREATE SCHEMA messaging AUTHORIZATION app_user;
