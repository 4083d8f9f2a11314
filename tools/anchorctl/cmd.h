/* The handlers behind the table's rows: one cmd_*.c per noun. Each returns the program's exit code. */
#ifndef ANCHORCTL_CMD_H
#define ANCHORCTL_CMD_H

#include "ctl.h"

int cmd_account_create(struct ctl *c);
int cmd_account_list(struct ctl *c);
int cmd_account_get(struct ctl *c);
int cmd_account_delete(struct ctl *c);

int cmd_zone_create(struct ctl *c);
int cmd_zone_list(struct ctl *c);
int cmd_zone_get(struct ctl *c);
int cmd_zone_delete(struct ctl *c);

int cmd_ca_upload(struct ctl *c);
int cmd_ca_import(struct ctl *c);
int cmd_ca_list(struct ctl *c);
int cmd_ca_get(struct ctl *c);
int cmd_ca_delete(struct ctl *c);
int cmd_ca_associations(struct ctl *c);

int cmd_expiring(struct ctl *c);

int cmd_crl_add(struct ctl *c);
int cmd_crl_list(struct ctl *c);
int cmd_crl_delete(struct ctl *c);
int cmd_crl_policy(struct ctl *c);

int cmd_host_set(struct ctl *c);
int cmd_host_add(struct ctl *c);
int cmd_host_remove(struct ctl *c);
int cmd_host_list(struct ctl *c);

int cmd_quota_show(struct ctl *c);
int cmd_quota_set(struct ctl *c);
int cmd_quota_audit(struct ctl *c);

int cmd_token_create(struct ctl *c);
int cmd_token_list(struct ctl *c);
int cmd_token_revoke(struct ctl *c);

int cmd_plugin_list(struct ctl *c);
int cmd_plugin_inspect(struct ctl *c);

int cmd_server_status(struct ctl *c);
int cmd_server_check(struct ctl *c);
int cmd_server_rewrap(struct ctl *c);

int cmd_managed_ca_show(struct ctl *c);
int cmd_managed_ca_rotate(struct ctl *c);
int cmd_managed_ca_retire(struct ctl *c);

int cmd_client_cert_issue(struct ctl *c);
int cmd_client_cert_list(struct ctl *c);
int cmd_client_cert_get(struct ctl *c);
int cmd_client_cert_revoke(struct ctl *c);
int cmd_client_cert_reactivate(struct ctl *c);

int cmd_query_trust(struct ctl *c);
int cmd_query_verify(struct ctl *c);
int cmd_query_evaluate(struct ctl *c);
int cmd_query_origin(struct ctl *c);

int cmd_access_add(struct ctl *c);
int cmd_access_list(struct ctl *c);
int cmd_access_get(struct ctl *c);
int cmd_access_update(struct ctl *c);
int cmd_access_delete(struct ctl *c);
int cmd_access_settings_get(struct ctl *c);
int cmd_access_settings_put(struct ctl *c);

int cmd_origin_add(struct ctl *c);
int cmd_origin_list(struct ctl *c);
int cmd_origin_get(struct ctl *c);
int cmd_origin_delete(struct ctl *c);

int cmd_rule_put(struct ctl *c);
int cmd_rule_list(struct ctl *c);
int cmd_rule_get(struct ctl *c);
int cmd_rule_delete(struct ctl *c);

int cmd_x509(struct ctl *c);
int cmd_rule(struct ctl *c);

int cmd_completion(struct ctl *c);
int cmd_manual(struct ctl *c);

#endif
