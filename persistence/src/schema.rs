//! The tables, as diesel knows them. Only the file that owns a table uses it.

diesel::table! {
    journal_head (id) {
        id -> SmallInt,
        sequence -> BigInt,
        moment -> BigInt,
        hash -> Text,
    }
}

diesel::table! {
    journal (sequence) {
        sequence -> BigInt,
        moment -> BigInt,
        actor -> Text,
        reason -> Nullable<Text>,
        resource -> Text,
        item -> Text,
        version -> BigInt,
        event -> Text,
        snapshot -> Text,
        audience_before -> Text,
        audience_after -> Text,
        seen_from -> Text,
        previous_hash -> Text,
        hash -> Text,
    }
}

diesel::table! {
    journal_root (day) {
        day -> Integer,
        sequence -> BigInt,
        moment -> BigInt,
        hash -> Text,
    }
}

diesel::table! {
    audience (item, audience_key) {
        item -> Text,
        audience_key -> Text,
        lost_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    advice (id) {
        id -> Text,
        version -> BigInt,
        created_at -> BigInt,
        modified_at -> BigInt,
        own_modified_at -> BigInt,
        public_modified_at -> BigInt,
        snapshot -> Text,
        kind -> Text,
        status -> Text,
        outcome -> Nullable<Text>,
        level -> Text,
        cluster -> Nullable<Text>,
        portfolio_holder -> Nullable<Text>,
        request -> Nullable<Text>,
        second_round_of -> Nullable<Text>,
        merged_into -> Nullable<Text>,
        letter_day -> Nullable<Integer>,
        listed_day -> Nullable<Integer>,
        submitted_day -> Nullable<Integer>,
        received_day -> Nullable<Integer>,
        answered_day -> Nullable<Integer>,
        words -> Text,
    }
}

diesel::table! {
    advice_council (advice, council) {
        advice -> Text,
        council -> Text,
        is_public -> Bool,
        status -> Text,
        submitted_day -> Nullable<Integer>,
        received_day -> Nullable<Integer>,
    }
}

diesel::table! {
    advice_theme (advice, theme) {
        advice -> Text,
        theme -> Text,
    }
}

diesel::table! {
    advice_reference (advice, place) {
        advice -> Text,
        place -> Integer,
        value -> Text,
        is_public -> Bool,
    }
}

diesel::table! {
    advice_term (advice, from_day) {
        advice -> Text,
        from_day -> Integer,
        until_day -> Integer,
        state -> Text,
        due_day -> Nullable<Integer>,
        days_over -> Nullable<Integer>,
    }
}

diesel::table! {
    response_draft (advice) {
        advice -> Text,
        version -> BigInt,
        created_at -> BigInt,
        modified_at -> BigInt,
        snapshot -> Text,
    }
}

diesel::table! {
    advice_request (id) {
        id -> Text,
        version -> BigInt,
        created_at -> BigInt,
        modified_at -> BigInt,
        snapshot -> Text,
    }
}

diesel::table! {
    dossier (id) {
        id -> Text,
        resource -> Text,
        version -> BigInt,
        created_at -> BigInt,
        modified_at -> BigInt,
        snapshot -> Text,
    }
}

diesel::table! {
    dossier_facet (dossier, facet, value) {
        dossier -> Text,
        facet -> Text,
        value -> Text,
    }
}

diesel::table! {
    registry (resource, code) {
        resource -> Text,
        code -> Text,
        version -> BigInt,
        created_at -> BigInt,
        modified_at -> BigInt,
        sequence -> BigInt,
        snapshot -> Text,
    }
}

diesel::table! {
    person_name (person) {
        person -> Text,
        name -> Text,
    }
}

diesel::table! {
    idempotency (client, idempotency_key) {
        client -> Text,
        idempotency_key -> Text,
        request_hash -> Text,
        created_at -> BigInt,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    secret (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    advice,
    advice_request,
    advice_council,
    advice_theme,
    advice_reference,
    advice_term,
    audience,
    dossier,
    dossier_facet,
    journal_head
);
