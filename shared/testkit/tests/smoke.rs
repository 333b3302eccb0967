//! The kit itself.

use robnu_testkit::{TestDatabase, TwoSellers, WireProxy};

#[tokio::test]
async fn a_scoped_read_sees_its_own_seller_in_one_flight() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let mut config = test.config("robnu_api");
    let wire = WireProxy::before(&mut config).await;
    let database = robnu_tenancy::Database::new(&config).await.unwrap();
    let sql = "select seller_id from robnu.orders";
    database.read(&sellers.ours.scope("VIEWER"), sql, &[]).await.unwrap();
    let _warm_up = wire.take();
    let rows = database.read(&sellers.ours.scope("VIEWER"), sql, &[]).await.unwrap();
    assert_eq!(wire.take(), (1, 4));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<_, robnu_tenancy::SellerId>(0), sellers.ours.id);
}
