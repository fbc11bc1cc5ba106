"""What may be refused: the texts as they are raised, a value in them as `{name}`.

Straight apostrophes of the texts are curly ones here. `refused` tells what the names
of some values mean.
"""

from app.texts.catalogue import message

TEXTS: tuple[str, ...] = (
    # What kinds of refusal mean (`errors.meaning`).
    message("The body cannot be read as JSON."),
    message("The caller is not known."),
    message("The caller may see this, but may not do it."),
    message("Another site sent this form."),
    message("There is nothing here, or the caller may not know that there is."),
    message("The path exists, but not for this method."),
    message("The request is well formed, but contradicts the present state."),
    message("There is one with this id already."),
    message("Something else needs it."),
    message("The round’s phase does not allow it."),
    message("The run has no solution, or not yet."),
    message("The proposal does not fit the round as it stands now."),
    message("The city has no free place for it."),
    message("The pairing is not in a state in which that can be done."),
    message("The deadline is over."),
    message("The same idempotency key came with another request."),
    message("Somebody changed it since the caller read it."),
    message("The body is longer than the service reads."),
    message("The body is not declared as what the path takes."),
    message("The request is readable, but something in it is not as it must be."),
    message("The cities, wishes, vetoes or history are not as they must be."),
    message("The policy asks for something that does not exist."),
    message("No assignment keeps all pins, bans, vetoes, rules and places."),
    message("More cities than a request without an account may bring."),
    message("The file cannot be read as a table of cities."),
    message("Rows of the file are wrong; nothing was stored."),
    message("The request does not say which version it changes."),
    message("More requests from one caller than the service takes in so short a time."),
    message("A mistake of ours."),
    message("Others are being served."),
    message("The computation took longer than an answer may that somebody waits for."),
    message(
        "The computation ended without an answer, for instance for lack of memory."
    ),
    message("An expected refusal: the caller can do something about it."),
    # What to do (`Refusal.cure`).
    message("What is said above tells what to change."),
    message("Send one JSON value in UTF-8, and not nested hundreds of levels deep."),
    message(
        "In a browser, sign in. A program sends {header}, with a token that you make "
        "on the page of your account."
    ),
    message("Ask an organiser of the network to do it."),
    message("Open the page of Compaan itself, and send the form from there."),
    message(
        "Check the address. What you may not see is answered in the same way: perhaps "
        "you are signed in as somebody else. For programs, all paths are listed at "
        "/api/docs."
    ),
    message("Programs: use one of the methods that the header Allow names."),
    message("Read the present state, then decide anew."),
    message("Choose another name or id, or change the one that is there (by PUT)."),
    message("Change first what is named as needing it."),
    message(
        "An organiser can move the round to another phase, on its page or by "
        "{operation}."
    ),
    message(
        "The page of the run, or {operation}, tells its state, and why there is no "
        "solution."
    ),
    message("Start another run of the round, and use that."),
    message("Withdraw one of the city’s pairings, or give the city more places."),
    message(
        "The page of the pairing, or {operation}, tells its state, and what each side "
        "has answered."
    ),
    message("Ask the organisers: they can set a new deadline for the pairing."),
    message(
        "Use a new key for a new request; repeat a key with the same request only."
    ),
    message(
        "The fields that differ are listed (`errors`). Read it again and put your "
        "change on top of it; a program sends the new ETag in If-Match."
    ),
    message("Send less at once: shorter texts, or fewer cities."),
    message("Programs: send the Content-Type that is named."),
    message(
        "Each error in the list points at one place and says what to write there: a "
        "field of the form, or a JSON pointer."
    ),
    message("Each error in the list names things that clash: give one of them up."),
    message(
        "Send fewer cities, or run Compaan yourself: `compaan match` has no limit."
    ),
    message(
        "Save the sheet as .xlsx or as CSV (UTF-8), with the column names of the "
        "template in the first row. The template is on the page of the import, and at "
        "`GET /api/v1/cities/import`."
    ),
    message(
        "Each error in the list names a row and a column, and what to write there."
    ),
    message("Programs: read the thing, and send its ETag in the header If-Match."),
    message("Wait a minute; a program waits for as many seconds as Retry-After says."),
    message("Tell us the request id: it finds the entry in our log."),
    message(
        "Try again in a minute; a program waits for as many seconds as Retry-After "
        "says."
    ),
    message(
        "Ask about fewer cities, or run Compaan yourself: its commands in the terminal "
        "have no limit."
    ),
    # What is asked for, and how.
    message("There is nothing at {path}."),
    message("{method} is not allowed here; {methods} is."),
    message("The body cannot be read as what it says it is."),
    message("The body is not JSON: {error} at character {number}."),
    message(
        "The text holds a character that cannot be stored: NUL, or half of a "
        "surrogate pair. Leave it out."
    ),
    message("The body may have {most} bytes at most."),
    message("An object in the body may have {most} fields at most."),
    message("The name of a field may have {most} characters at most."),
    message("Send the ETag that you read in If-Match."),
    message("This exists already: send its ETag in If-Match."),
    message("This exists already, and If-None-Match asks that it does not."),
    message(
        "There is nothing here for you that If-Match could mean: it was deleted, or "
        "never was. To make it anew, leave If-Match out."
    ),
    message("The body must be application/json, {type}."),
    message("Send the file as text/csv, .xlsx or a form, not as {type}."),
    message("The form holds no file."),
    message("The scope of this token is `{scope}`: {scopes} is needed."),
    message("Send the header {header}."),
    message("From another machine, send an organiser’s token."),
    message("No problem has the code {code}."),
    message("This is our mistake. Request id: {id}"),
    message("At most {most} of these requests a minute."),
    message("At most {most} requests a minute."),
    message("At most {most} cities, not {number}."),
    message("The key {key} came with another request before."),
    message("The database is not up to date: `compaan migrate`."),
    message("Too many are writing at once."),
    message("Too many are served at once."),
    message("The database is busy or away."),
    message("The database is away."),
    message("Too many are waiting already."),
    message("No turn came up in time."),
    message("The computation died."),
    message("The computation died. {inner}"),
    message("The computation was ended. {inner}"),
    message("Its worker died."),
    message("It was ended after {number} seconds."),
    message("What it was frozen from cannot be read. Start another run."),
    message("This is our mistake. Run: {id}"),
    message("This cursor is not ours: follow `next` of a page, or leave it out."),
    message(
        "This cursor belongs to another list or to other filters: begin again without "
        "it."
    ),
    message("There is no such moment in UTC."),
    message("{day} is no day: write it as 2027-05-31."),
    message("Write a date and a time: {example}."),
    message("This form came from another site; nothing was changed."),
    message("There is no such page for you."),
    message("{pointer}: {inner}"),
    message("The body: {inner}"),
    message("{inner} There are {number} errors; {most} are listed."),
    message("Too much else is wrong."),
    message("{inner} There are more than {number} errors; {most} are listed."),
    # Somebody else was faster.
    message("Somebody changed it at the same moment; read it again."),
    message("It contradicts what somebody else wrote at the same moment; read again."),
    message("Somebody changed it since you read it."),
    message(
        "Somebody changed it since you read it. It now differs from what you sent in: "
        "{fields}."
    ),
    message("Somebody changed it since you opened the page."),
    message(
        "Somebody changed the round since you read it: `errors` has the last changes."
    ),
    message(
        "Somebody changed the round since this page was shown. It is shown as it is "
        "now: look once more, then decide."
    ),
    message(
        "Somebody changed this account since the page was shown. Your words are still "
        "below: check them, then send them again."
    ),
    message("Somebody changed what is staged while this was computed; look again."),
    message("Somebody changed the round while this was computed; look again."),
    message("It is {there} now; you sent {here}."),
    message("{action} at {moment} UTC"),
    # Coming in, and accounts.
    message("Sign in first."),
    message("Nobody signs in with this address and this password."),
    message(
        "That account has no confirmed e-mail address to which somebody was invited "
        "here. Ask an organiser of the network for an invitation to that address."
    ),
    message("Signing in there did not work. Try again, or ask for a link by e-mail."),
    message("The provider of identities does not answer as it should."),
    message("The provider of identities has another name than is set."),
    message("Nobody signs in in this way here."),
    message("Too many attempts to sign in. Wait, or ask for a link by e-mail."),
    message("Too many people are signing in right now."),
    message("This link has been used, or is too old: ask for another one."),
    message("This account is for a demo only: nobody signs in with it here."),
    message("This browser is not signed in, or no longer."),
    message("You have no signed-in browser with this id."),
    message("Your present password is another one."),
    message("The password was changed at the same moment: try again."),
    message("This token is not known here, or no longer."),
    message("There is no scope {scope}. The scopes are: {scopes}."),
    message("An account may have {most} tokens: revoke one."),
    message("You have no token with this id."),
    message("{email} has an account already."),
    message("Nobody has the address {email}: `compaan user add` first."),
    message("There is no account with the id {id} for you."),
    message("The terminal has no account."),
    message("You may invite colleagues for your own cities only."),
    message("Only an officer hands over, and the own city."),
    message("The account has been used already: nobody is to be invited."),
    message("Only an organiser may change this account."),
    message(
        "Only an organiser may change accounts; of administrators, only an "
        "administrator."
    ),
    message("This is the last administrator: make another one first."),
    message("The role {member} has no {field}: leave it out."),
    message("The role {member} has no city: leave it out."),
    message("The role {member} has no association: leave it out."),
    message("Say which city it is of."),
    message("Say which association it is of."),
    message("Say which {field} it is of."),
    message("Write an e-mail address, like jan.peeters@city.example."),
    # Cities, their practices and contact persons.
    message("There is no city with the id {id}."),
    message("There is no city {id} that you may change."),
    message("No city has the id `{id}`."),
    message("The path says `{id}`: write the same here, or leave it out."),
    message("An id stays what it is: register the city anew under another one."),
    message("You may not register the city {id}."),
    message("There is a city with the id {id} already."),
    message("You may not change the city {id}."),
    message("You may not delete the city {id}."),
    message("{id} takes part in: {rounds}. Take it out first."),
    message("{id} was paired in: {rounds}. That stays on record."),
    message("{id} has no practice with this id."),
    message("You may not change the practices of {id}."),
    message("A city may have {most} practices: delete one."),
    message("There are no contact persons of {id} for you."),
    message("{id} has no contact person with this id."),
    message("You may not change the contact persons of {id}."),
    message("A city may have {most} contact persons: delete one."),
    message("Only an organiser may import cities."),
    message("Add `{role}` to `roles`, or leave `{field}` out."),
    message("Send `{field}` with `{other}`."),
    message("`{value}` stands here twice."),
    message("`{value}` is taken already."),
    message("`{value}` is a path of its own: choose another id."),
    message("There is no such policy area. Known areas: {areas}."),
    message(
        "There is no such policy area. Did you mean `{near}`? Known areas: {areas}."
    ),
    # Spreadsheets.
    message("{wrong} of {all} rows are wrong; nothing was stored. {inner}"),
    message("Row {row}, {cell}: {inner}"),
    message("Row {row}, at its end: {inner}"),
    message("The column {column} stands twice: keep one."),
    message("There is no column {column}. Did you mean {near}?"),
    message(
        "The first row must hold the names of the columns, `name` among them, as in "
        "the template: {path}."
    ),
    message("Row {row} is the same city: keep one of the two."),
    message(
        "The row has more cells than the first one: is a comma in a cell that is not "
        "in quotation marks?"
    ),
    message(
        "This stands in a column without a name: name the column, or delete the cell."
    ),
    message("The file is no text in UTF-8 or Windows-1252: save it as CSV UTF-8."),
    message("The workbook is empty."),
    message("The file has more than {most} rows: send it in parts."),
    message("The file is empty."),
    message("The file holds NUL characters: it is no CSV."),
    message("Columns are parted by a comma, a semicolon or a tab."),
    message("The file is no CSV: {error}. Is a quotation mark left open?"),
    message(
        "The workbook is of an old kind (.xls) or has a password: save it as .xlsx "
        "without one."
    ),
    message("The file is an OpenDocument sheet: save it as .xlsx."),
    message("The file has more than {most} bytes: send less."),
    message("The file is no workbook that can be read: save it as .xlsx or CSV again."),
    message(
        "The workbook has {number} parts with {all} bytes unpacked: {most} and {more} "
        "are the most. Save it as CSV."
    ),
    message("The workbook holds too much: save its sheet as CSV."),
    message("Row {row} goes on after {most} columns: delete what is there."),
    message("The sheet is too large: delete its empty rows and columns."),
    message("The cell holds a formula: copy it, and paste its value (Paste special)."),
    message("The cell holds an error of the spreadsheet: mend it."),
    message("{value} is no language that we know."),
    message("{value} is no language that we know. Did you mean {near}?"),
    message("{value} is no country: write its code or its name."),
    message("{value} is no country: write its code or its name. Did you mean {near}?"),
    message("{value} is no role: mentor, learner or both."),
    message("{value} is no role: mentor, learner or both. Did you mean {near}?"),
    message("{value} is none of: {names}."),
    message("{value} is none of: {names}. Did you mean {near}?"),
    message("{value} is no whole number."),
    message("{value} is no number."),
    message("{value} is more than all: write a share between 0 and 1, or add %."),
    message("{value} is no policy area."),
    message("{value} is no policy area. Did you mean {near}?"),
    message("{value}: a level is between 0 and 4."),
    # Rounds, and who takes part.
    message("There is no round with the id {id}."),
    message("There is no round with the id {id} to copy."),
    message("There is a round with the id {id} already."),
    message("The round is called `{id}`: write the same, or leave it out."),
    message("Only an organiser may do this."),
    message("An archived round stays as it is."),
    message("Only a draft can be deleted, and this round is {phase}: archive it."),
    message("The round is {phase}: who takes part and how it is matched stays."),
    message("The round is {phase}: what was decided in it stays as it is."),
    message("There is no such phase."),
    message("A round becomes {phase} by POST {path} alone."),
    message("From {phase} there is no way to {goal}, only to {ways}."),
    message(
        "From {phase} there is no way to {goal}, only to nowhere: it stays as it is."
    ),
    message("A step back needs a reason: it stands in the log."),
    message("{id} takes no part in {place}."),
    message("You may not take {id} out of the round."),
    message("You may not decide how {id} takes part while the round is {phase}."),
    message("Wishes and vetoes are the city’s own: leave them out."),
    message("A city is never its own partner."),
    message("`{id}` stands higher up already."),
    message("This city has wishes for this role already: join the two."),
    message("One entry for each role: join the two."),
    message("There is no board of {id} for you."),
    message("There is no policy of {id} for you."),
    message("Only an organiser may change the policy."),
    message("At least one weight must be above 0."),
    message("Write true or false, without quotes."),
    message("Write a number, without quotes."),
    # Runs and proposals.
    message("Only an organiser may start a run."),
    message("The round is {phase}; it is matched while open (a trial) or closed."),
    message("There are no runs of {id} for you."),
    message("There is no run with the id {id}."),
    message("{place} has no run with the id {id}."),
    message("Only an organiser may cancel a run."),
    message("The run has {run} already."),
    message("The run is {run}: it has no solution."),
    message("The run is {run}: it has no solution to stage."),
    message("Choose 1 to {most} proposals."),
    message("The round is {phase}; pairings are staged when it is closed."),
    message("The round has changed since this run: {inner}"),
    message("Since this run {pair} has been banned."),
    message(
        "Since this run a city has said whom it will not be paired with, and one of "
        "the pairs is of that kind."
    ),
    message("The round is {phase}; what is staged can be released."),
    message("Nothing is staged: there is no pairing to offer."),
    message("The round is {phase}; an override needs a staged one."),
    message("Name a pair to force or to ban."),
    message("The round is {phase}: nothing has been released."),
    message("There is no bundle of {id} for you."),
    message("There is no ledger for you."),
    message("There are no repairs of {id} for you."),
    message(
        "The round is {phase}: what is staged or released can be mended. Name a run "
        "with {parameter} to ask about that."
    ),
    message(
        "This repair is not on the list any more: the round has changed since. Read "
        "the repairs again."
    ),
    # Pairings.
    message("There is no pairing with the id {id}."),
    message("{city} has {there} places as a {role}, and would need {wanted}."),
    message("Only {city} itself and organisers answer as the {role}."),
    message("The pairing is {pairing}: it waits for no answer."),
    message("The answer was due by {moment} UTC."),
    message("The pairing is {pairing}; only a staged one is dismissed."),
    message("The pairing is {pairing}: there is nothing to take back."),
    message("The deadline must lie ahead."),
    message("The deadline may be {most} days away at most."),
    message("Choose the day by which the cities answer."),
    message("Only the two cities and organisers answer."),
    message("Only the two cities and organisers note how it goes."),
    message("Choose a reason; only the organisers see it."),
    message("To accept needs no reason: leave it out."),
    message("Say how it goes, or leave a note."),
    message("The pairing is {pairing}: only a confirmed one is noted."),
    message("There are no notes of this pairing for you."),
    message("Only its two cities and organisers take notes of a pairing."),
    # Messages, webhooks and the log.
    message("Only an organiser may send messages."),
    message(
        "The message is {state}: only one that failed, of which nobody knows whether "
        "it arrived, or that has nobody to go to, is sent again."
    ),
    message("The pairing is not offered any more: this letter is too late."),
    message("Only an organiser may remind cities."),
    message("There are no messages of {id} for you."),
    message("There is no message with the id {id}."),
    message("The terminal has no address to send a test to."),
    message("Nobody of {whom} has an account: open one first."),
    message("There are no webhooks for you."),
    message("There is no webhook with the id {id}."),
    message("Only organisers and administrators have webhooks."),
    message("There may be {most} webhooks: delete one."),
    message("The URL must begin with {start}."),
    message("Write a URL like {example}."),
    message("Leave out what is before the @: deliveries are signed instead."),
    message("A URL has 2000 characters at most."),
    message("There is no port 0."),
    message("Name each type of event once."),
    message("The delivery is {state}: it will be sent anyway."),
    message("The webhook is off: set `active` to true first."),
    message("The webhook has no delivery with the id {id}."),
    message("Tick the box if the webhook is to be deleted."),
    message("There is no log of a city {id} for you."),
    message("There is no log of a round {id} for you."),
    message("There is no log of the network for you."),
    # What the engine refuses.
    message("A problem is a JSON object."),
    message("A policy is a JSON object."),
    message(
        "No stable assignment is defined under it: remove it, or choose another "
        "objective."
    ),
    message("This pair stands higher up already: remove one of the two."),
    message("{part} clashes with {parts}."),
    message("{part} cannot be kept."),
    message("{part} clashes with the roles: {city} has no place as a {role}."),
    message("{number} pins clash with the places of {id}: as a {role} it has {there}."),
    message(
        "Within {number} steps no assignment that keeps caps and loads was found, and "
        "none was ruled out: ease them."
    ),
    message(
        "{names}: places that a minimum load of {least} asks for: {wanted}; open to "
        "them: {open}, with {others}."
    ),
    message(
        "Perhaps fewer of these clash already: there were too many to try each of them."
    ),
    message("There are more errors than these."),
    message("`{id}` is in the round already."),
    message("{pair}: no place as mentor and learner."),
    message("{pair} stands higher up already."),
    message("Name cities by a list of ids."),
    message("A pair is a mentor’s id and a learner’s id."),
    message("Only what stands can be kept: add the pair to `pairs`, or remove it."),
    message("One of the two has no place in its role."),
    message("No city takes part as a mentor with a place: invite mentors."),
    message("No city takes part as a learner: invite learners."),
    message(
        "Places wanted: {wanted}, offered: {there}. Ask mentors to take more learners, "
        "or invite more mentors."
    ),
    message(
        "Learners who need help with {area}: {wanted}. Places with mentors who are "
        "strong there: {there}."
    ),
    message("Rules, vetoes and bans leave {id} no mentor at all."),
    message("{id} states no need: its pairings can bring few points."),
    # What Pydantic finds, in its words or in ours (`schemas.input_errors`).
    message("Field required"),
    message("This field is required: add it."),
    message("There is no such field here: check its spelling or remove it."),
    message("Write a list: [ … ]."),
    message("Write an object: {braces}."),
    message("Write a finite number; leave the field out when it is unknown."),
    message("String should have at least {number} character"),
    message("String should have at least {number} characters"),
    message("String should have at most {number} character"),
    message("String should have at most {number} characters"),
    message("String should match pattern {pattern}"),
    message("Input should be a valid string"),
    message("Input should be a valid integer"),
    message("Input should be a valid integer, unable to parse string as an integer"),
    message("Input should be a valid integer, got a number with a fractional part"),
    message("Unable to parse input string as an integer, exceeded maximum size"),
    message("Input should be a valid number"),
    message("Input should be a valid number, unable to parse string as a number"),
    message("Input should be a valid boolean"),
    message("Input should be a valid boolean, unable to interpret input"),
    message("Input should be a valid list"),
    message("Input should be None"),
    message("Input should be greater than {limit}"),
    message("Input should be greater than or equal to {limit}"),
    message("Input should be less than {limit}"),
    message("Input should be less than or equal to {limit}"),
    message("{kind} should have at least {number} item after validation, not {there}"),
    message("{kind} should have at least {number} items after validation, not {there}"),
    message("{kind} should have at most {number} item after validation, not {there}"),
    message("{kind} should have at most {number} items after validation, not {there}"),
    message("Input should be {choices}"),
    message("Input should be a valid datetime"),
    message("Input should be a valid datetime, {error}"),
    message("Input should be a valid datetime or date, {error}"),
    message("Input should be a valid date"),
    message("Input should be a valid date or datetime, {error}"),
    # What other rooms refuse.
    message("The list of places is not ready yet: ask again soon."),
    message("Only officers of the two cities ask about a pairing."),
    message("The pairing is {pairing}: there is nothing to ask."),
    message("There are {number} questions already: talk to the organisers."),
    message("Only organisers answer questions."),
    message("There is no question {id} about this pairing."),
    message("This run has no such pair of cities."),
    message("The example has no such pair."),
    message("No message that failed can be sent again."),
    # What came of sending to other programs and of mail.
    message("There was no answer within {number} seconds."),
    message("It cannot be reached: {error}"),
    message("The connection was closed before the answer."),
    message("The answer is no HTTP: {error}"),
    message("The name {name} cannot be looked up: {error}"),
    message("{name} is at {address}: this is no public address."),
    message("This is our mistake: {error}."),
    message("It answered 410: it is gone, and wants nothing any more."),
    message(
        "It answered {number}: redirects are not followed. Give the webhook the "
        "address that it leads to."
    ),
    message("It answered {number}."),
    message("Nothing was taken for {number} days. {inner}"),
    message("It may have arrived: its sender died."),
    message("Its sender died."),
    message("Gave up after {number} attempts: {inner}"),
    message("Mail cannot be sent to an address like this account’s."),
    message("The folder for mail cannot be written to: {error}."),
    message("Our user name or password was refused: {error}"),
    message("No connection to the mail server: {inner}"),
    message("The mail server offers no encryption, so our password is not sent to it."),
    message("The mail server takes only ASCII before the @ of an address."),
    message("The mail server went away: {inner}"),
    message("It may have arrived, there was no answer: {inner}"),
    message("It may have arrived, the answer made no sense: {error}."),
    message("The mail server said: {error}"),
    message("There is no such decision."),
    message("There is no report of {id} for you."),
    message("This city has no place in this role in this proposal."),
    message("Somebody else has changed this meanwhile."),
)
"""Each a whole text."""
PARTS: tuple[str, ...] = (
    message("the minimum load of {number}"),
    message("the cap of {number} pairings with one partner for {role}s of one {trait}"),
    message("the cap of {number} pairings in the round for {role}s of one {trait}"),
    message("the pin {pair}"),
    message("the rule `{rule}`"),
    message("the bans"),
    message("the ban {pair}"),
    message("the cities’ vetoes"),
    message("the pairing to keep {pair}"),
    message("a veto between the two"),
    message("a ban of the same pair"),
)
"""Names of decisions that clash, as they stand within a text."""
