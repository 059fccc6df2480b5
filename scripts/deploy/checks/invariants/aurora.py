"""Of Aurora and its network: who reads what, and what the jobs reach."""

from __future__ import annotations

from scripts.deploy.checks.invariants.standing import Standing


def reader_is_promoted_last(now: Standing) -> bool:
    """The ETL reader would become the writer before the others."""
    return bool(now.one("aws_rds_cluster_instance")["promotion_tier"] == 15)  # noqa: PLR2004  Aurora's last tier


def reader_is_private(now: Standing) -> bool:
    """The ETL reader has a public address."""
    return now.one("aws_rds_cluster_instance")["publicly_accessible"] is False


def etl_endpoint_is_one_reader(now: Standing) -> bool:
    """The ETL endpoint leads elsewhere than to the ETL reader, or admits a writer."""
    endpoint, reader = now.one("aws_rds_cluster_endpoint", ".etl"), now.one("aws_rds_cluster_instance")["identifier"]
    return bool(endpoint["custom_endpoint_type"] == "READER" and endpoint["static_members"] == [reader])


def settings_name_that_reader(now: Standing) -> bool:
    """The settings allow another instance, or lead to another host, than what was made."""
    source, endpoint = now.settings["source"], now.one("aws_rds_cluster_endpoint", ".etl")["endpoint"]
    allowed = source["allowed_instances"] == [now.one("aws_rds_cluster_instance")["identifier"]]
    return allowed and f"@{endpoint}:" in source["url"]


def applications_read_elsewhere(now: Standing) -> bool:
    """Applications are sent to the ETL reader."""
    endpoint = now.one("aws_rds_cluster_endpoint", ".applications[0]")
    return bool(endpoint["excluded_members"] == [now.one("aws_rds_cluster_instance")["identifier"]])


def no_endpoint_mixes_readers_and_writer(now: Standing) -> bool:
    """An endpoint admits a writer, or another one than the ETL endpoint leads to the ETL reader."""
    reader = now.one("aws_rds_cluster_instance")["identifier"]
    return all(
        endpoint["custom_endpoint_type"] == "READER"
        and (address.endswith(".etl") or reader in endpoint["excluded_members"])
        for address, endpoint in now.of("aws_rds_cluster_endpoint").items()
    )


def nobody_gets_in_by_address(now: Standing) -> bool:
    """A security group is open to addresses instead of to the jobs."""
    rules = now.of("aws_vpc_security_group_ingress_rule").values()
    open_to_any = [rule for rule in rules if rule["cidr_ipv4"] or rule["cidr_ipv6"] or rule["prefix_list_id"]]
    inline = [group for group in now.of("aws_security_group").values() if group["ingress"]]
    return not open_to_any and not inline


def only_the_jobs_get_in(now: Standing) -> bool:
    """Machines of another security group reach the database, the workers or the private ways to AWS."""
    job = now.one("aws_security_group", ".job")["id"]
    rules = now.of("aws_vpc_security_group_ingress_rule").values()
    return all(rule["referenced_security_group_id"] == job and rule["ip_protocol"] == "tcp" for rule in rules)


def only_https_leaves_the_network(now: Standing) -> bool:
    """The jobs may reach the internet by another port than 443."""
    rules = now.of("aws_vpc_security_group_egress_rule").values()
    inline = [group for group in now.of("aws_security_group").values() if group["egress"]]
    return not inline and all(
        rule["ip_protocol"] == "tcp" and rule["from_port"] == rule["to_port"] == 443  # noqa: PLR2004
        for rule in rules
        if not rule["referenced_security_group_id"]
    )


def only_single_ports_are_open(now: Standing) -> bool:
    """Between the jobs and others more is open than the one port that is needed."""
    job = now.one("aws_security_group", ".job")["id"]
    rules = [
        *now.of("aws_vpc_security_group_ingress_rule").values(),
        *now.of("aws_vpc_security_group_egress_rule").values(),
    ]
    others = [one for one in rules if {one["security_group_id"], one["referenced_security_group_id"]} != {job}]
    return len(others) < len(rules) and all(one["from_port"] == one["to_port"] for one in others)


def machines_are_in_their_groups(now: Standing) -> bool:
    """The jobs, or the private ways to AWS, are in a group whose rules nobody looked at."""
    (network,) = now.one("aws_glue_connection")["physical_connection_requirements"]
    endpoints = now.one("aws_security_group", ".endpoints")["id"]
    private = [one for one in now.of("aws_vpc_endpoint").values() if one["vpc_endpoint_type"] == "Interface"]
    return network["security_group_id_list"] == [now.one("aws_security_group", ".job")["id"]] and all(
        one["security_group_ids"] == [endpoints] for one in private
    )


def the_reader_is_reached_by_verified_tls(now: Standing) -> bool:
    """Rows cross the network in the open, or from a server that proved nothing."""
    source = now.settings["source"]
    return not source.get("local") and bool(source["url"].endswith("?sslrootcert=bundled:rds"))
