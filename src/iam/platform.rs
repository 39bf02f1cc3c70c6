//! Where the exporter runs, and who hands it its role there.

use std::fmt;

use clap::ValueEnum;

use super::policy::{Condition, Principal, Statement};
use crate::account::Partition;

/// Where the exporter runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// EKS, by IAM roles for service accounts (IRSA).
    EksIrsa,
    /// EKS, by Pod Identity.
    EksPodIdentity,
    /// An ECS task, on Fargate or on instances.
    Ecs,
    /// An EC2 instance, by its instance profile.
    Ec2,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 4] = [Self::EksIrsa, Self::EksPodIdentity, Self::Ecs, Self::Ec2];

    /// The statement by which the platform, and on it the exporter alone, may become the role.
    pub(super) fn trust(self, partition: Partition) -> Statement {
        match self {
            Self::EksIrsa => irsa(partition),
            Self::EksPodIdentity => pod_identity(partition),
            Self::Ecs => ecs(partition),
            Self::Ec2 => Statement::trust_in("TrustInstances", service("ec2"), &["sts:AssumeRole"]),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EksIrsa => "EKS with IAM roles for service accounts",
            Self::EksPodIdentity => "EKS with Pod Identity",
            Self::Ecs => "ECS",
            Self::Ec2 => "EC2",
        })
    }
}

fn service(name: &str) -> Principal {
    ("Service", format!("{name}.amazonaws.com"))
}

/// Without `sub` every pod of the cluster, and without `aud` a token meant for somebody else,
/// would do.
fn irsa(partition: Partition) -> Statement {
    let provider = format!("arn:{partition}:iam::HUB-ACCOUNT-ID:oidc-provider/OIDC-PROVIDER");
    let subject = "system:serviceaccount:NAMESPACE:SERVICE-ACCOUNT";
    let action = ["sts:AssumeRoleWithWebIdentity"];
    let principal = ("Federated", provider);
    Statement::trust_in("TrustTheServiceAccount", principal, &action).only(Condition {
        equals: &[
            ("OIDC-PROVIDER:aud", "sts.amazonaws.com"),
            ("OIDC-PROVIDER:sub", subject),
        ],
        ..Condition::default()
    })
}

/// The service account is named by the association, which belongs to a cluster. Session tags are
/// left off there, since the trust policies of members would have to allow them.
fn pod_identity(partition: Partition) -> Statement {
    let cluster = format!("arn:{partition}:eks:REGION:HUB-ACCOUNT-ID:cluster/CLUSTER-NAME");
    let actions = ["sts:AssumeRole", "sts:TagSession"];
    Statement::trust_in("TrustPodIdentity", service("pods.eks"), &actions).only(Condition {
        equals: &[("aws:SourceAccount", "HUB-ACCOUNT-ID")],
        arn_like: Some(cluster),
    })
}

/// Tasks of the account and Region alone: ECS acts for every account of AWS.
fn ecs(partition: Partition) -> Statement {
    let tasks = format!("arn:{partition}:ecs:REGION:HUB-ACCOUNT-ID:*");
    Statement::trust_in("TrustTasks", service("ecs-tasks"), &["sts:AssumeRole"]).only(Condition {
        equals: &[("aws:SourceAccount", "HUB-ACCOUNT-ID")],
        arn_like: Some(tasks),
    })
}
