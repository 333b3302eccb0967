//! The operators' page, looked at in a real browser, with the deployed function behind it. Each test has two sellers of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod browser;
mod desk;
mod stack;

use browser::Browser;
use desk::{Console, Desk, VIEWS};
use serde_json::{Value, json};

/// The width of a small phone, in pixels.
const PHONE: u32 = 360;

#[tokio::test]
async fn a_dead_letter_is_shown_with_what_helps_and_is_redriven_by_clicking() {
    let desk = Desk::new().await;
    let (ours, theirs) = (desk.dead_run(&desk.ours).await, desk.dead_run(&desk.theirs).await);
    let console = Console::start(&["--allow-changes"]).await;
    let mut browser = Browser::start().await;
    browser.open(&console.url).await;
    browser.shows("What is stuck").await;
    browser.go(&format!("#/stuck?seller={}", desk.ours.owner.seller)).await;
    browser
        .until(
            "only one seller's things are shown",
            &format!(
                "document.querySelectorAll('.card').length === 1 && !document.body.innerText.includes('{}')",
                desk.theirs.account
            ),
        )
        .await;
    let seen = browser.text().await;
    for part in [
        "Ours to mend",
        "Dead letters",
        "TOO_MANY_RECEIVES",
        "Find the fault first",
        &format!(
            "cargo xtask ops dlq redrive --account {} --marketplace AJIO --kind RETURNS",
            desk.ours.account
        ),
    ] {
        assert!(seen.contains(part), "{part:?} is not in: {seen}");
    }

    browser.click("Redrive the dead letter…").await;
    let asked = browser.shows("the run is queued again and published").await;
    assert!(asked.contains("marketplace AJIO"), "{asked}");
    assert_eq!(browser.value("document.querySelector('dialog button.main').disabled").await, true);
    browser.write("the adapter is mended").await;
    browser.click("I have read what it would do.").await;
    browser.click("Redrive 1").await;
    browser.shows("1 published").await;
    browser.shows("Done.").await;
    browser.click("Close").await;
    browser.shows("Nothing is stuck.").await;

    let end = desk.end_of(&desk.ours, &ours).await;
    browser.go(&format!("#/run/{ours}")).await;
    let story = browser.shows("It succeeded").await;
    assert_eq!(end["state"], "SUCCEEDED");
    for part in
        ["A message of it died: TOO_MANY_RECEIVES", "asha redrove the dead letter", "the adapter is mended"]
    {
        assert!(story.contains(part), "{part:?} is not in: {story}");
    }
    assert_eq!(desk.state_of_letter(&theirs).await, "OPEN", "the other seller's letter is as it was");
    desk.clear().await;
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[tokio::test]
async fn a_run_is_told_from_its_request_to_its_rows() {
    let desk = Desk::new().await;
    let run = desk.stack.ask_for_sync(&desk.ours.owner, &desk.ours.account).await;
    let end = desk.end_of(&desk.ours, &run).await;
    let console = Console::start(&[]).await;
    let mut browser = Browser::start().await;
    browser.open(&console.url).await;
    browser.shows("What is stuck").await;
    browser.go(&format!("#/runs?account={}", desk.ours.account)).await;
    browser.click("ORDERS of AJIO").await;
    let story = browser.shows("It succeeded").await;
    for part in [
        "Somebody asked for it through the API",
        "it reads everything that the marketplace still shows",
        "An adapter took it for the first time",
    ] {
        assert!(story.contains(part), "{part:?} is not in: {story}");
    }
    let row = "[...document.querySelectorAll('td')].find(cell => cell.innerText === 'ORDERS').parentElement.innerText";
    let row = browser.value(row).await;
    let added =
        end["counts"].as_array().map_or_else(|| end["added"].clone(), |counts| counts[0]["added"].clone());
    assert!(row.as_str().unwrap().contains(&added.to_string()), "{row} beside {end}");

    browser.go(&format!("#/accounts?seller={}", desk.ours.owner.seller)).await;
    let accounts = browser.shows("Last read to the end").await;
    assert_eq!(
        browser.value("/ORDERS \\d+ (s|min)/.test(document.body.innerText)").await,
        true,
        "{accounts}"
    );
    assert!(!accounts.contains(&desk.theirs.account), "{accounts}");
}

#[tokio::test]
async fn an_account_is_paused_and_resumed_by_clicking() {
    let desk = Desk::new().await;
    let console = Console::start(&["--allow-changes"]).await;
    let mut browser = Browser::start().await;
    browser.open(&console.url).await;
    browser.shows("What is stuck").await;
    browser.go(&format!("#/accounts?account={}", desk.ours.account)).await;
    browser.click("Pause…").await;
    browser.shows("would be paused: 1 account").await;
    browser.press("Escape").await;
    assert_eq!(desk.held().await, [false, false], "Escape changes nothing");
    for (button, go, said, held) in [
        ("Pause…", "Pause", "is paused: 1 account", true),
        ("Resume…", "Resume", "is resumed: 1 account", false),
    ] {
        browser.click(button).await;
        browser.shows("Reason, for the record").await;
        browser.write("a test").await;
        browser.click("I have read what it would do.").await;
        browser.click(go).await;
        browser.shows(said).await;
        assert_eq!(desk.held().await, [held, false]);
        browser.click("Close").await;
    }
}

#[tokio::test]
async fn a_console_that_only_reads_has_no_button_that_changes_and_refuses_all_changes() {
    let desk = Desk::new().await;
    let run = desk.dead_run(&desk.ours).await;
    let console = Console::start(&[]).await;
    let mut browser = Browser::start().await;
    browser.open(&console.url).await;
    browser.shows("only reads").await;
    for view in ["stuck", "marketplaces", "accounts", "letters"] {
        browser.go(&format!("#/{view}?seller={}", desk.ours.owner.seller)).await;
        browser.until("the view is drawn", "!document.body.innerText.includes('Reading…')").await;
        let buttons = "[...document.querySelectorAll('main button')].map(each => each.innerText).join()";
        let buttons = browser.value(buttons).await;
        let known = buttons.as_str().unwrap().split(',').all(|text| matches!(text, "" | "Filter" | "Copy"));
        assert!(known, "{view}: {buttons}");
    }
    let seen = browser.shows("TOO_MANY_RECEIVES").await;
    assert!(seen.contains("RETURNS of AJIO"), "{seen}");
    // With the page's own token and origin, too.
    let post = "(async () => { const { change } = await import('/server.js');
        try { await change('redrive', {reason: 'a test'}); return 'done' } catch (error) { return error.message } })()";
    assert_eq!(browser.value(post).await, "this console only reads");
    assert_eq!(desk.state_of_letter(&run).await, "OPEN");
    desk.clear().await;
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let desk = Desk::new().await;
    let evil = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";
    let (run, letter) = desk.hostile(evil).await;
    let console = Console::start(&["--allow-changes"]).await;
    let mut browser = Browser::start().await;
    browser.open(&console.url).await;
    browser.shows("What is stuck").await;
    for (hash, shown) in [
        (format!("#/letter/{letter}"), evil),
        (format!("#/run/{run}"), evil),
        (format!("#/runs?account={}", desk.ours.account), evil),
        (
            format!("#/letters?marketplace={}", "%3Cimg%20src%3Dx%20onerror%3D%22window.hacked%3D1%22%3E"),
            "filter.source",
        ),
        ("#/letter/%3Cimg%20src%3Dx%3E".to_owned(), "Reading failed"),
    ] {
        browser.go(&hash).await;
        browser.shows(shown).await;
    }
    assert_eq!(browser.value("window.hacked === undefined && document.images.length === 0").await, true);
    assert_eq!(browser.complaints, Vec::<String>::new());
    // And if somebody forgot it: the page's policy turns no text into markup.
    desk.clear().await;
    let forgotten = format!(
        "(() => {{ try {{ document.body.innerHTML = {}; return 'written' }} catch (error) {{ return error.name }} }})()",
        json!(evil)
    );
    assert_eq!(browser.value(&forgotten).await, "TypeError");
}

#[tokio::test]
async fn the_page_fits_a_phone_is_dark_when_asked_and_everything_on_it_has_a_name_and_contrast() {
    let desk = Desk::new().await;
    let run = desk.dead_run(&desk.ours).await;
    let letter = desk.letter_of(&run).await;
    let console = Console::start(&["--allow-changes"]).await;
    let mut browser = Browser::start().await;
    browser.width(PHONE).await;
    browser.open(&console.url).await;
    browser.shows("What is stuck").await;
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        grounds.push(browser.value("getComputedStyle(document.body).backgroundColor").await);
        for view in VIEWS {
            let place = view
                .replace("RUN", &run)
                .replace("LETTER", &letter)
                .replace("SELLER", &desk.ours.owner.seller);
            browser.go(&format!("#/{place}")).await;
            browser.until("the view is drawn", "Boolean(document.querySelector('#view h1'))").await;
            // A phone's window grows with what does not fit, so neither may be wider than the phone.
            let width = browser.value("Math.max(document.documentElement.scrollWidth, innerWidth)").await;
            assert_eq!(width, PHONE, "{place} scrolls sideways");
            let faint = browser.value(include_str!("desk/contrast.js")).await;
            assert_eq!(faint, json!([]), "{place} in {scheme}");
            let tree = browser.call("Accessibility.getFullAXTree", json!({})).await;
            let nodes = tree["nodes"].as_array().unwrap().iter();
            let nameless: Vec<&Value> = nodes.filter(|node| is_nameless(node)).collect();
            assert!(nameless.is_empty(), "{place}: {nameless:?}");
        }
    }
    assert_ne!(grounds[0], grounds[1], "dark differs from light");
    desk.clear().await;
}

/// Whether something that a person operates has no name that a screen reader could say.
fn is_nameless(node: &Value) -> bool {
    let operated = ["button", "link", "textbox", "combobox", "checkbox", "spinbutton", "navigation", "form"];
    let role = node["role"]["value"].as_str().unwrap_or_default();
    operated.contains(&role) && node["name"]["value"].as_str().unwrap_or_default().is_empty()
}

#[tokio::test]
async fn the_page_says_when_reading_fails_and_what_to_do() {
    let mut console = Console::start(&[]).await;
    let mut browser = Browser::start().await;
    browser.open(&console.url.replace("token=", "token=wrong")).await;
    browser.shows("the console's token is missing or wrong. Next: open the URL").await;
    browser.open("about:blank").await;
    browser.open(&console.url).await;
    browser.shows("Live · last read").await;
    console.end().await;
    let seen = browser.shows("Reading failed: the console does not respond").await;
    assert!(seen.contains("What is shown was read at") && seen.contains("Reading fails"), "{seen}");

    let console = Console::start(&["--stack", "robnu-elsewhere"]).await;
    browser.open(&console.url).await;
    let seen = browser.shows("there is no function robnu-elsewhere-redrive").await;
    assert!(seen.contains("check --stack, the region and the account"), "{seen}");
}
