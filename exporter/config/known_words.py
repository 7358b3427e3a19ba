"""What may be repeated of the cloud's answers: the keys and the words that its documents know, and nothing else.

From the pages of v5 "Querying Tasks", "Querying Task Details" and "Querying the List of Tasks Created Asynchronously
in Batches", and of v3 lists, batches, comparisons and quotas.
"""

from __future__ import annotations

import re

KEYS = frozenset(
    """
    account actual_start_time alarm_notify alarm_to_user apply_average_commit_time apply_average_execute_time
    apply_bytes_rate apply_current_state apply_ddl_rate apply_rate apply_rows_rate apply_transactions_rate arch
    async_job_id availability availability_zone available_actions az_code bandwidth base_info begin billing_tag
    bind_public_ip_state charging_mode check_point check_result children cloud code common compare_job_id
    compare_job_tag compare_result compare_results compare_task_id compare_task_list compare_task_list_count
    compare_task_list_results compare_task_status compare_type completed compute_type config conflict_policy
    connection_management content_compare_detail content_compare_detail_count content_compare_detail_infos
    content_compare_details content_compare_diff content_compare_diff_count content_compare_diffs
    content_compare_overview content_compare_overview_count content_compare_overview_infos content_compare_result
    content_compare_results content_diff_detail_info content_uncompare_detail content_uncompare_detail_count
    contents_infos count cpu_util cpuUsed_percent create_time current_action custom_node_ip customized_dns data
    data_compare_task_list data_guard_minitor data_sync_topology_type database db_name db_param db_password db_port
    db_type db_use_type db_user ddl_trans delay delay_time description diff_count diff_row_num difference_row_num
    disk_read_bytes_rate disk_write_bytes_rate dml_types dns_ip domain_name driver_management driver_name dst_count
    dst_delay dst_io dst_normal dst_offset dst_rps dynamic_compare_delay eff_time encoded_authorization_message end
    end_time endpoint endpoint_name endpoint_role endpoint_type engine_type enterprise_project_id error error_code
    error_message error_msg errorCode errorMsg errors event exp_time expired_days export_status failed_reason
    failed_sub_jobs file_size filter_ddl_policy full_complete_time full_mode full_start_time full_sync
    full_transfer_complete_time function group gtid_set id incr_start_time incr_trans_delay incr_trans_delay_millis
    incre_apply incre_capture incre_relay incre_trans_delay incre_trans_delay_millis increment_read_mode index
    index_trans inherit_id inst_id inst_info inst_name inst_type instance_features instance_id instance_name
    instance_type instInfo ip ipv6 is_auto_renew is_dst_normal is_job_running is_migrate_user is_multi_az
    is_open_fast_clean is_set_dns is_set_password is_skipped is_src_normal is_support_skip is_target_readonly
    is_writable issue_coupon item job job_action job_direction job_id job_kernel_direction job_mode job_mode_role
    job_type jobs key level line_compare_detail line_compare_detail_count line_compare_detail_infos
    line_compare_details line_compare_overview line_compare_overview_count line_compare_overview_infos
    line_compare_result line_compare_results log_level logs master_job_id max mem_used_inMB mem_util message metrics
    migrate_user migration_bytes_per_second migration_object_overview migration_object_progress_info min
    mongo_ha_mode multi_write name need_restart net_type network_incoming_bytes_rate network_outgoing_bytes_rate
    network_results node_id node_info node_mem_inMB node_memory_size node_new_framework node_newFramework node_num
    node_offset node_role node_type node_volume_inGB node_volume_size object_compare_details object_compare_overview
    object_compare_result object_level_compare_results object_switch object_type objects_compare_detail_infos
    objects_compare_overview_info options order_id original_job_direction param_name param_value parent_id password
    pay_mode performance period_num period_order period_type policy_config precheck_id precheck_result
    precheck_results previous_select procedure process process_time progress progress_info progress_map project_id
    public_ip public_ip_list quota quotas raw_error_msg rds_instance_id region remaining_time replace_definer
    report_remain_seconds request_id resource restart_required result results role role_list rpo_delay rpo_info
    rto_delay rto_info safe_mode schema_type security_group_id set_dns_action source_count source_db source_db_name
    source_db_value source_endpoint source_ip source_key_value source_meta_is_null source_row_num source_select_sql
    source_sharding source_table_name source_target_meta_not_null spec speed speed_limit sr_delay sr_offset
    src_count src_delay src_io src_normal src_offset src_rps ssl ssl_cert_check_sum ssl_cert_key ssl_cert_name
    ssl_cert_password ssl_link start_time status struct struct_process struct_trans subnet_id subscription_id
    subscriptions success support_ddl_info support_import_file_resp support_ip_v6 sync_database sync_type_policy
    table tags target_count target_db target_db_name target_db_value target_endpoint target_inst_id target_inst_name
    target_ip target_key_value target_meta_is_null target_row_num target_select_sql target_table_name target_value
    task_mode task_type task_version time time_stamp title topic topic_name topic_urn total_count total_passed_rate
    total_record trans_data trans_inMB trans_lines transfer_status trigger tuning_params type unavailable_actions
    update_time used used_cpu_percent used_memory used_volumes user_list user_migration user_name value view
    volume_size volume_used_inGB vpc vpc_id
    """.split()  # noqa: SIM905 - four hundred quotes would be harder to read
)
"""Keys of the answers that the documents know, and the extras seen in real bodies that were made public."""

WORDS = frozenset(
    """
    account ACTIVE active add ADD_COLUMN ADD_INDEX ALARM API_CONFIGURATION_ACTION arm ASYNC_JOB_VALIDATE_FAILED
    ASYNC_JOB_VALIDATING AUTO_PARAM_VALIDATE_SUCCESS AWAITING_PAID CAN_NOT_COMPARE CANCELED CANCELLED cassandra
    CHANGE CHANGE_COLUMN CHANGE_JOB_FAILED CHANGE_JOB_STARTED CHANGE_MODE child CHILD_TRANSFER_COMPLETE
    CHILD_TRANSFER_FAILED CHILD_TRANSFER_STARTED CHILD_TRANSFER_STARTING CHOOSE_OBJECT CLONE cloud
    cloud_gaussdb_redis cloud_gaussdbv5 cloud_mysql cloudDataGuard cloudDataGuard-cassandra cloudDataGuard-ddm
    cloudDataGuard-mysql cloudDataGuard-mysql-to-taurus cloudDataGuard-taurus-to-mysql COMMIT_SUCCESS
    COMPARING COMPLETED CONFIGURATION CONSISTENT CONSTRAINT constraintData content_compare contents CONTINUE_APPLY
    CONTINUE_CAPTURE CONTINUE_JOB CREATE CREATE_FAILED CREATE_INDEX CREATE_TABLE CREATING database DB
    db ddm dds DEFAULT_TYPE DELETE DELETED down drop_database DROP_INDEX drs ecs ecs_mysql ecs_oracle ecs_redis
    ecs_rediscluster eip Error EVENT event EXPORT_COMMON_FAILED EXPORT_COMPLETE EXPORTING EXTENSIONS FAILED failed
    FAILED_TO_COMPARE FILE_GROUP FREE_RESOURCE FROZEN FULL_DOING FULL_INCR_TRANS FULL_TRANS FULL_TRANSFER
    FULL_TRANSFER_COMPLETE FULL_TRANSFER_FAILED FULL_TRANSFER_STARTED FUNCTION function gaussdbv5 gaussdbv5-to-kafka
    gaussdbv5-to-oracle gaussdbv5ha gaussdbv5ha-to-kafka gaussdbv5ha-to-oracle gaussredis ha high ignore
    INCONSISTENT INCR_TRANS INCRE_DOING INCRE_TRANSFER INCRE_TRANSFER_FAILED INCRE_TRANSFER_STARTED INDEX index Info
    INIT instances JUMP_RETRY kafka keep line_compare lines manual many2one master medium mgr micro
    migration MODIFY_COLUMN MODIFY_CONFIGURATION MODIFY_DB_CONFIG MODIFY_TASK_NUMBER mongodb mongodb-to-dds
    multi_to_single mysql mysql-to-kafka mysql-to-mysql mysql-to-taurus node NODE_FLAVOR_MODIFY
    NODE_UPGRADE_COMPLETE NODE_UPGRADE_FAILED NODE_UPGRADE_START non-dbs normal NOT_START object object_compare
    object_comparison offline on_demand one2many one2one oracle oracle-to-gaussdbv5 oracle-to-gaussdbv5ha ORDER_INFO
    overwrite parent PARTITION_FUNCTION PARTITION_SCHEME PASSED PAUSE PAUSEING PAUSING PAY_ORDER pending period
    PLAN_GUIDE postgresql PRE_CHECK PROCEDURE procedure processing QUERY_PRE_CHECK random REBUILD_NODE_FAILED
    REBUILD_NODE_STARTED recover redis redis-to-gaussredis rediscluster rediscluster-to-gaussredis
    RELEASE_CHILD_TRANSFER_COMPLETE RELEASE_CHILD_TRANSFER_STARTED RELEASE_RESOURCE_COMPLETE RELEASE_RESOURCE_FAILED
    RELEASE_RESOURCE_STARTED RENAME_INDEX RESET RESET_DB_PWD RETRY ROUTINE RULE RUNNING single slave small so START
    START_INCR START_JOB_FAILED STARTJOBING stop STOP_APPLY STOP_CAPTURE STOP_JOB succeed success SUCCESSFUL
    supportAllType SWITCH_OVER sync sync_child SYNONYM ta TABLE table TABLE_COLLATION table_indexs table_structure
    tableData tableStructure TARGET_DB_NOT_EXIST TARGET_DB_NOT_EXIT taurus taurus-to-kafka TIMEOUT_INTERRUPT
    TO_PERIOD TO_RENEW TRANSFER_WHEN_END TRANSFERING TRIGGER trigger TYPE UNSUBSCRIBE up VIEW view vpc vpn
    WAIT_FOR_COMPARE waiting WAITING_FOR_COMPARISON WAITING_FOR_RUNNING WAITING_FOR_START Warn x86
    """.split()  # noqa: SIM905 - four hundred quotes would be harder to read
)
"""Words with a documented meaning: statuses, actions, engines, results."""

WORD_KEYS = frozenset(
    """
    apply_current_state arch available_actions billing_tag charging_mode check_result compare_result compare_task_status
    compare_type compute_type conflict_policy content_compare_result current_action data_sync_topology_type db_type
    db_use_type endpoint_role endpoint_type engine_type export_status inst_type instance_type is_writable
    job_direction job_kernel_direction job_mode job_mode_role job_type level line_compare_result net_type node_role
    node_type object_compare_result object_type original_job_direction previous_select result role status
    sync_type_policy task_mode task_type transfer_status type unavailable_actions
    """.split()  # noqa: SIM905
)
"""The keys under which such a word stands; under any other it would be a name that a user chose."""

REGIONS = frozenset(
    """
    ae-ad-1 af-north-1 af-south-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 cn-east-2
    cn-east-3 cn-east-4 cn-east-5 cn-north-1 cn-north-11 cn-north-12 cn-north-2 cn-north-4 cn-north-9 cn-south-1
    cn-south-2 cn-south-4 cn-southwest-2 cn-southwest-3 eu-ch2 eu-de eu-nl eu-west-0 eu-west-101 la-north-2
    la-south-2 me-east-1 my-kualalumpur-1 na-mexico-1 ru-moscow-1 ru-northwest-2 sa-brazil-1 tr-west-1
    """.split()  # noqa: SIM905
)
"""The regions of Huawei Cloud, as its SDK lists them, and of Open Telekom Cloud (eu-ch2 is its Swiss region)."""

_CODE = re.compile(
    r"(?:DRS|APIGW|APIG|IAM|CES|CBC|PAP5)[.-](?:[0-9]{4,8}|[A-Z]{1,2}[0-9]{4,5})"  # DRS.M00102, DRS.10000010
    r"|M[0-9]{5}|K[0-9]{5}|KE[0-9]{4}"  # in items of a batch, without the service
)


def known_code(code: object) -> str | None:
    """Return an error code that has one of the documented shapes, such as DRS.M00102; None for anything else.

    Codes become labels, log words and page text: a shape that the vendor does not use may be a host, a user or a text.
    """
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None
