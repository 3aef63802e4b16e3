//! The driver of a dummy cloud.

use async_trait::async_trait;
use vmpool_driver::{
    Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, HintStream, Listing, Operation,
    Pause, PowerAction,
};
use vmpool_model::{Node, NodeId, Timestamp};

use crate::{CloudError, Creds, DummyCloud, DummyConfig, Feature, call::Answer, libcloud};

/// Speaks to a [`DummyCloud`].
///
/// ```
/// use vmpool_driver::Driver;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let driver = vmpool_dummy::DummyDriver::libcloud(0)?;
/// let node = driver.create(&Default::default()).await?;
/// assert_eq!((node.name.as_str(), node.public_ips[0].to_string().as_str()), ("dummy-3", "127.0.0.3"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DummyDriver {
    info: DriverInfo,
    cloud: DummyCloud,
    creds: Option<Creds>,
    pause: Option<Pause>,
}

impl DummyDriver {
    /// Makes a driver of a cloud.
    #[must_use]
    pub fn new(cloud: DummyCloud) -> Self {
        let (creds, endpoint) = {
            let inner = cloud.lock();
            let path = inner.config.path.as_ref().map(|path| path.display().to_string());
            (inner.config.libcloud.clone(), path.unwrap_or_else(|| "memory".to_owned()))
        };
        let info = DriverInfo::new("dummy", "Dummy Node Provider")
            .with_website("http://example.com")
            .with_endpoint(endpoint);
        Self { info, cloud, creds, pause: None }
    }

    /// Makes a driver of a new cloud that behaves as libcloud's dummy driver with these credentials.
    ///
    /// What was wrong there is not kept: ids are never used twice, the default nodes have an address each,
    /// destroying twice is `NotFound`, and nodes can be stopped and started.
    ///
    /// # Errors
    ///
    /// If the cloud cannot begin with so many nodes.
    pub fn libcloud(creds: impl Into<Creds>) -> Result<Self, CloudError> {
        let config = DummyConfig { libcloud: Some(creds.into()), ..DummyConfig::default() };
        DummyCloud::in_memory(config).map(Self::new)
    }

    /// Lets calls take the time that [`DummyConfig::call_latency`] says.
    #[must_use]
    pub fn with_pause(self, pause: Pause) -> Self {
        Self { pause: Some(pause), ..self }
    }

    /// Returns the cloud.
    #[must_use]
    pub fn cloud(&self) -> &DummyCloud {
        &self.cloud
    }

    /// Returns the credentials that the driver was made with, if it behaves as libcloud's.
    #[must_use]
    pub fn creds(&self) -> Option<&Creds> {
        self.creds.as_ref()
    }

    /// Lets a call take its time on the way there and back, and waits for ever if it is never answered.
    async fn ask<T>(&self, call: impl FnOnce() -> Answer<T> + Send) -> Result<T, DriverError> {
        self.travel().await;
        let answer = call();
        match answer {
            Answer::Comes(result) => {
                self.travel().await;
                result
            }
            Answer::Never => std::future::pending().await,
        }
    }

    async fn travel(&self) {
        let half = self.cloud.lock().config.call_latency / 2;
        if let Some(pause) = self.pause.as_ref().filter(|_| !half.is_zero()) {
            pause(half).await;
        }
    }
}

#[async_trait]
impl Driver for DummyDriver {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        let inner = self.cloud.lock();
        let has = |feature| inner.config.features.contains(&feature);
        let mut capabilities = Capabilities::none();
        capabilities.start = true;
        capabilities.stop = true;
        capabilities.reboot = true;
        capabilities.catalog = true;
        capabilities.set_expiry = true;
        capabilities.hints = inner.config.events;
        capabilities.create_with_token = true;
        // libcloud's driver ignores all that it is asked for.
        capabilities.create_with_labels = inner.config.libcloud.is_none();
        capabilities.create_with_ssh_key = has(Feature::SshKey);
        capabilities.create_with_password = has(Feature::Password);
        capabilities.create_generates_password = has(Feature::GeneratesPassword);
        capabilities
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        self.ask(|| self.cloud.list()).await
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        self.ask(|| self.cloud.get(id)).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        self.ask(|| self.cloud.create(request)).await
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        self.ask(|| self.cloud.destroy(id)).await
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        self.ask(|| self.cloud.power(id, action)).await
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        self.ask(|| self.cloud.call(Operation::Catalog, None, None, |_, _| Ok(libcloud::catalog()))).await
    }

    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        self.ask(|| self.cloud.set_expiry(id, at)).await
    }

    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        if !self.capabilities().hints {
            return Err(DriverError::unsupported(Operation::Hints));
        }
        self.ask(|| self.cloud.open_hints(self.pause.clone())).await
    }
}

impl std::fmt::Debug for DummyDriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DummyDriver").field("cloud", &self.cloud).finish_non_exhaustive()
    }
}
