//! Who asks: the User-Agent, which CloudTrail writes into the events that our own calls leave in every account.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::user_agent::UserAgentInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::interceptors::{
    Intercept, disable_interceptor, dyn_dispatch_hint,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, FrozenLayer, Layer};

/// An interceptor of the SDK's clients that names the exporter to AWS.
///
/// The SDK would name itself alone, twice, and put both together anew for each request, with headers that tell its attempts apart: a tenth of a poll's
/// CPU.
#[derive(Debug, Clone)]
pub(super) struct UserAgent {
    text: Arc<str>,
    /// Turns off what the SDK would send.
    turned_off: FrozenLayer,
}

impl UserAgent {
    /// With the application id that `AWS_SDK_UA_APP_ID` or the profile gives every program that uses an SDK.
    pub(super) fn new(sdk: &SdkConfig) -> Self {
        let mut text = concat!("cloudtrail-exporter/", env!("CARGO_PKG_VERSION")).to_owned();
        text.push_str(" aws-sdk-rust");
        if let Some(id) = sdk.app_name() {
            text.push_str(" app/");
            text.push_str(id.as_ref());
        }
        Self {
            text: text.into(),
            turned_off: turned_off(),
        }
    }
}

fn turned_off() -> FrozenLayer {
    const WHY: &str = "nobody reads them";
    let mut layer = Layer::new("UserAgent");
    layer.store_put(disable_interceptor::<UserAgentInterceptor>("ours is sent"));
    layer.store_put(disable_interceptor::<InvocationIdInterceptor>(WHY));
    layer.store_put(disable_interceptor::<RequestInfoInterceptor>(WHY));
    layer.freeze()
}

#[dyn_dispatch_hint]
impl Intercept for UserAgent {
    fn name(&self) -> &'static str {
        "UserAgent"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.push_shared_layer(self.turned_off.clone());
        Ok(())
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        headers.try_insert("user-agent", self.text.to_string())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_types::app_name::AppName;

    use super::*;

    #[test]
    fn an_application_id_is_told_too() {
        let sdk = |id: Option<AppName>| {
            let mut sdk = SdkConfig::builder();
            sdk.set_app_name(id);
            UserAgent::new(&sdk.build()).text.to_string()
        };
        let plain = sdk(None);
        assert!(plain.ends_with(" aws-sdk-rust"), "{plain}");
        let fleet = AppName::new("audit-fleet").expect("a name");
        assert_eq!(sdk(Some(fleet)), format!("{plain} app/audit-fleet"));
    }
}
