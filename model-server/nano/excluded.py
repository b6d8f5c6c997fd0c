"""What must not appear as a tool in the training text, because it is measured later.

The base may know that "holiday" is an English word; it must never have seen a
tool about one. So tools are excluded twice: by the names of CLINC150's intents,
whatever the order and style of their words, and by the subjects of the two
workloads that the model is shown on (CLINC150's work domain, the sample help desk).
"""

import re

# Intent names of CLINC150 (Larson et al. 2019). Names only: no question of that set is used.
CLINC150_INTENTS = frozenset(
    """
freeze_account routing pin_change bill_due pay_bill account_blocked interest_rate min_payment
bill_balance transfer order_checks balance spending_history transactions report_fraud
replacement_card_duration expiration_date damaged_card improve_credit_score report_lost_card
card_declined credit_limit_change apr redeem_rewards credit_limit rewards_balance
application_status credit_score new_card international_fees food_last confirm_reservation how_busy
ingredients_list calories nutrition_info recipe restaurant_reviews restaurant_reservation
meal_suggestion restaurant_suggestion cancel_reservation ingredient_substitution cook_time
accept_reservations what_song play_music todo_list_update reminder reminder_update calendar_update
order_status update_playlist shopping_list calendar next_song order todo_list shopping_list_update
smart_home current_location oil_change_when oil_change_how uber traffic tire_pressure
schedule_maintenance gas mpg distance directions last_maintenance gas_type tire_change jump_start
plug_type travel_notification translate flight_status international_visa timezone exchange_rate
travel_suggestion travel_alert vaccines lost_luggage book_flight book_hotel carry_on car_rental
weather alarm date find_phone share_location timer make_call calculator definition
measurement_conversion flip_coin spelling time roll_dice text pto_request_status next_holiday
insurance_change insurance meeting_schedule payday taxes income rollover_401k pto_balance
pto_request w2 schedule_meeting direct_deposit pto_used who_made_you meaning_of_life
who_do_you_work_for do_you_have_pets what_are_your_hobbies fun_fact what_is_your_name
where_are_you_from goodbye thank_you greeting tell_joke are_you_a_bot how_old_are_you
what_can_i_ask_you change_speed user_name whisper_mode yes change_volume no change_language repeat
change_accent cancel sync_device change_user_name change_ai_name reset_settings maybe
""".split()
)

# A tool whose name holds a word beginning so is about the subject of a workload shown.
# (Not "ship" alone: one scene docks a space ship.)
EXCLUDED_STEMS = (
    *("pto", "leave_day", "vacation", "holiday", "payday", "paycheck", "payslip", "payroll"),
    *("salary", "income", "wage", "tax", "insur", "meeting", "deposit", "w2", "401k", "rollover"),
    *(
        "account",
        "password",
        "login",
        "order",
        "refund",
        "shipping",
        "shipment",
        "deliver",
        "parcel",
        "package",
    ),
    *("ticket", "invoice", "billing", "subscription", "warrant", "coupon", "customer"),
)


def name_words(name: str) -> list[str]:
    """Split a tool name of any style (snake, camel, kebab, dotted) into lower-case words."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]


_EXCLUDED_NAMES = {tuple(sorted(name_words(name))) for name in CLINC150_INTENTS}


def is_excluded(name: str) -> bool:
    """True if a tool of this name may not be in the training text."""
    words = name_words(name)
    if tuple(sorted(words)) in _EXCLUDED_NAMES:
        return True
    return any(word.startswith(EXCLUDED_STEMS) for word in words)
