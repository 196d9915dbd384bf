"""The words the desk knows, by what they do in a sentence. A word in here is never taken for a symbol in passing."""

from __future__ import annotations

from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


BUY_VERBS: Final = words("buy long purchase acquire accumulate")
SELL_VERBS: Final = words("sell short dump offload unload")
CLOSE_VERBS: Final = words("close exit flatten liquidate reduce trim")
# Orders only in front of a quantity: "get 2 eth", not "get the price".
QUANTITY_VERBS: Final = words("bid get grab put spend invest add allocate snag ape")
GERUNDS: Final = words(
    "buying selling longing shorting purchasing acquiring accumulating bidding dumping closing exiting trimming "
    "offloading unloading liquidating flattening reducing placing opening trading ordering"
)
TRADE_NOUNS: Final = words("order orders trade trades position positions purchase sale buys sells longs shorts")
CANCEL_VERBS: Final = words("cancel kill pull remove scrap revoke delete withdraw")

STOP_LOSS: Final = words("sl stoploss stop-loss stops")
TAKE_PROFIT: Final = words("tp target tgt takeprofit targets tp1")
TRIGGER: Final = words("trigger triggered trigger-price")

QUOTE_WORDS: Final = words("price prices quote quotes cost costs worth trading bid ask spread px ticker rate")
CIPHER_WORDS: Final = words(
    "cipher wavetrend wt wt1 wt2 momentum oversold overbought rsi stoch stochastic mfi bullish bearish bull bear "
    "bulls bears trend trends trending look looks looking analyze analyse analysis analyzing analyzed analysed view "
    "outlook signal signals divergence divergences div divs chart charts technicals ta compare sentiment bias "
    "direction forecast prediction predict think thoughts take read reading doing dots diamond diamonds setup "
    "setups strong weak strength opinion moon dumping pumping dip bottom top reversal bounce verdict going heading "
    "schaff stc picture situation happening macd crossed cross crosses crossing evidence candles candle panel"
)
PROFILE_WORDS: Final = words(
    "poc vah val hvn lvn hvns lvns vp vpvr vrvp support supports resistance resistances levels level volume node "
    "nodes profile tpo tpos composite value-area vwap pocs naked virgin untested dpoc prints"
)
PORTFOLIO_WORDS: Final = words(
    "portfolio positions position balance balances account pnl p&l equity holdings holding cash exposure bag bags "
    "performance profit profits loss losses funds wallet net money capital status risking"
)
COLOURS: Final = words(
    "green red blue gold golden yellow purple blood moon buy sell small big next last any a the new no"
)

# Timing, conditions, alternatives and venue features: an order with one of these says more than a ticket can hold.
DOUBT_WORDS: Final = words(
    "if when whenever unless until till after before once every each daily weekly monthly "
    "hourly later tomorrow tonight "
    "yesterday or either maybe perhaps possibly about around roughly approximately approx circa nearly almost less "
    "under over above below between than least most max maximum minimum up-to leverage leveraged margin isolated "
    "perp perps perpetual perpetuals futures future option options iceberg twap vwap-order trailing trail oco ioc "
    "fok dca ladder laddered split scale scaled grid lots lot contract contracts share shares sats satoshi satoshis "
    "couple few some several bit little lots-of double twice triple except minus not no than same usual equivalent "
    "monday tuesday wednesday thursday friday saturday sunday midnight noon hours minutes days weeks reaches hits "
    "drops falls rises breaks dips touches crosses while unlike any eventually soon "
    "ny nyc london york tokyo asia asian europe european frankfurt sydney singapore chicago berlin paris zurich dubai "
    "jan january feb february mar march apr april june jul july aug august sep sept september oct october nov november "
    "dec december nearest closest"
)

NEGATIONS: Final = words(
    "not don't dont do'nt don never no without cannot can't cant won't wont shouldn't shouldnt wouldn't wouldnt "
    "mustn't didn't didnt doesn't doesnt isn't isnt ain't aint aren't refuse refrain "
    "avoid neither nor nicht kein keine "
    "ne pas nunca jamais niet nie non não не нет instead rather stop nope nah against"
)
FILLERS: Final = words(
    "a an the please pls plz kindly now right rn asap today quickly fast immediately just me my i i'm i'd i'll i've we "
    "us let's lets let want wanna would like to can could you u for with and then also plus of at on in into from out "
    "it its it's this that them some go going enter open place make do execute submit send create put set up order "
    "orders trade position size worth amount hey hi hello ok okay yes yeah yep sure thanks thank thx cheers so well "
    "um uh bro man mate buddy dude sir friend guys desk trader is be as by via using use "
    "more another extra spot market mkt "
    "limit stop loss take profit price prices entry total totalling totaling bucks dollar "
    "dollars usd usdt coins coin tokens token "
    "units unit paper account equity give need need's will gonna again only exactly exact straight away there here "
    "new fresh first second next back all whole entire full half quarter third percent pct per cent"
)
QUESTION_STARTS: Final = words(
    "what what's whats what're where where's wheres when when's why why's how how's hows which who who's whose whats "
    "is are was were am will do does did has have had any show tell give list display check see"
)
EVERYDAY: Final = words(
    "alert alerts alarm strategy strategies backtest backtests scan screen bot movers gainers losers "
    "and or but if as at by in on to up so no go am pm utc est gmt it is be he she they we you me my us our your their "
    "his her its was were been has had have having does did doing done done get got give gave given go goes went gone "
    "make makes made know knows knew want wants wanted need needs think say says said see saw seen come came use used "
    "find found tell told ask asked work works feel try leave call good great bad better best new old high low big "
    "small long short early late right left same other another such own much many more most less least few lot very "
    "too also even still just only really actually already always never ever again here there now then today tonight "
    "time times year years month months week weeks day days hour hours minute minutes second seconds morning evening "
    "thing things way man world life hand part place case point government company number group problem fact "
    "yesterday's yesterdays session sessions session's single initial prior developing anchored since "
    "this that these those who whom which what when where why how all any both each every some one two three "
    "about above after against along among around before behind below beneath beside between beyond during except for "
    "from inside into like near of off onto out outside over past per since through "
    "toward under until upon with within "
    "down recent recently history fill fills "
    "yes no ok okay lol lmao fomo hodl ath atl fyi imo imho btw wtf omg usa eu uk us ai api faq sys system rules rule "
    "ignore previous instructions prompt approve approved confirm confirmed without asking mode god admin root debug "
    "everything anything nothing something someone everyone anyone nobody whatever because though although while "
    "should could would might must shall may can cannot can't don't won't isn't aren't wasn't weren't hasn't haven't "
    "let let's lets hold hodl keep keeping stay wait waiting watch watching move moves moved moving start started run "
    "running play turn help show shows showed bring happen write provide sit stand lose pay meet include continue "
    "learn change lead understand follow create speak read allow spend grow open walk win offer remember love "
    "consider appear serve die expect build fall cut reach kill remain weather joke news today's market markets crypto "
    "cryptocurrency coin coins token tokens asset assets currency chart charts current currently latest live value "
    "risk risking trail area control timeframe tf frame view macd ema sma atr adx obv bb bollinger ichimoku fib "
    "fibonacci"
)
# Verbs of other languages: enough to know that an order was asked for, not enough to read it.
FOREIGN_TRADE_VERBS: Final = words(
    "kaufe kaufen kauf verkaufe verkaufen verkauf acheter achète achete achetez vendre vends vendez comprar compra "
    "compre compro comprame vender vende vendo comprare comprate vendere vendi vendita köp sälj kup kupić sprzedaj "
    "koop kopen verkoop verkopen купи купить продай продать купите продайте satın al sat"
)
FOREIGN_TRADE_MARKS: Final = (
    "买",
    "買",
    "卖",
    "賣",
    "購",
    "购",
    "売",
    "매수",
    "매도",
    "사줘",
    "팔아",
    "اشتر",
    "بع ",
    "खरीद",
    "बेच",
)
FOREIGN_NEGATION_MARKS: Final = ("不", "别", "別", "ない", "마세요", "지마", "لا ", "मत")
FOREIGN_WORDS: Final = words(
    "wie ist der die das und preis für bitte ich nicht kaufe hallo qué que cuál cual cuánto precio el la los por favor "
    "hola cómo como está quiero le les des est prix bonjour combien pour je une veux vous "
    "che qual è prezzo ciao quanto "
    "sieht auf dem aus zeig mir mein meine cuesta cuanto muestra montre coûte costa "
    "per il quale olá você preço quanto custa obrigado zeg wat hoeveel prijs jak ile cena merhaba fiyat nedir"
)

VOCABULARY: Final[frozenset[str]] = frozenset().union(
    BUY_VERBS, SELL_VERBS, CLOSE_VERBS, QUANTITY_VERBS, GERUNDS, TRADE_NOUNS, CANCEL_VERBS, STOP_LOSS, TAKE_PROFIT,
    TRIGGER, QUOTE_WORDS, CIPHER_WORDS, PROFILE_WORDS, PORTFOLIO_WORDS, COLOURS, DOUBT_WORDS, NEGATIONS, FILLERS,
    QUESTION_STARTS, EVERYDAY,
)  # fmt: skip
